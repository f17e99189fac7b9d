import { ErrorBody, parseDurationMs } from '@placet/runtime';
import * as z from 'zod';

export const errors = { '4xx': ErrorBody, '5xx': ErrorBody };

export const CredentialView = z.object({
  id: z.string(),
  created_at: z.string(),
  expires_at: z.string().optional(),
  revoked_at: z.string().optional(),
});

export const ExpiresAt = z.iso
  .datetime()
  .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
  .describe('After this moment the credential is worth nothing.');

export const ActionParams = z.object({ id: z.string().max(200).describe("An action's id (act_…).") });

/** A body that may be left out altogether. */
export function optionalBody<T extends z.ZodObject>(schema: T) {
  return z.preprocess((body) => body ?? {}, schema);
}

/** A time such as `1h`, as milliseconds. */
export function durationField(longest: string) {
  const maxMs = parseDurationMs(longest) ?? 0;
  return z
    .string()
    .refine((text) => {
      const ms = parseDurationMs(text);
      return ms !== null && ms <= maxMs;
    }, `must be a time of at most ${longest}, such as 1h`)
    .transform((text) => parseDurationMs(text) ?? 0);
}
