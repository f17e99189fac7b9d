import { ErrorBody } from '@placet/runtime';
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
