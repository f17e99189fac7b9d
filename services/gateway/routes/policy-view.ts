import { PolicyScope, type PolicyText } from '@placet/events';
import { Refusal, type ValidEntry } from '@placet/runtime';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Policies } from '../policies/policies.ts';

export const ScopeParams = z.object({ scope: PolicyScope });

export const PolicyView = z
  .object({
    scope: z.string(),
    digest: z.string(),
    revision: z.number(),
    changed_by: z.string(),
    changed_at: z.string(),
    why: z.string().optional(),
    file: z.string().optional(),
    text: z.string(),
  })
  .meta({ id: 'Policy' });

/** A policy as YAML, or with who changed it, when and why as JSON. */
export const policyResponse = {
  description: 'The policy.',
  content: { 'application/yaml': { schema: z.string() }, 'application/json': { schema: PolicyView } },
};

export function policyView(policies: Pick<Policies, 'fileOf'>, entry: ValidEntry<PolicyText>) {
  const file = policies.fileOf(entry.value.scope);
  return {
    ...entry.value,
    revision: entry.revision,
    changed_by: entry.by,
    changed_at: entry.at,
    ...(entry.why === undefined ? {} : { why: entry.why }),
    ...(file === undefined ? {} : { file }),
  };
}

export function wantsJson({ headers }: FastifyRequest): boolean {
  return /\bapplication\/json\b/.test(headers.accept ?? '');
}

/** The revision that a change is meant to replace. */
export function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined) return undefined;
  const match = /^"?(\d{1,15})"?$/.exec(ifMatch);
  if (match) return Number(match[1]);
  throw new Refusal('VALIDATION_ERROR', {
    details: [{ path: 'If-Match', message: 'must be the ETag of the policy that you read' }],
  });
}
