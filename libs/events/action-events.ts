import * as z from 'zod';
import { AnswerSchema } from './answer-schema.ts';
import { Approver } from './approvers.ts';
import { ActionId, AgentName, Digest, Instant, OfAction } from './names.ts';

/** What an agent may tell about its request beside name and payload; people see it, and cases are grouped by it. */
export const RequestContext = {
  reasoning: z.string().optional(),
  acting_agent: z.string().optional(),
  handoffs: z.array(z.string()).optional(),
  on_behalf_of: z.string().optional(),
  run: z.string().optional(),
  case: z.string().optional(),
  tool: z.string().optional(),
  server: z.string().optional(),
  tags: z.array(z.string()).optional(),
  priority: z.enum(['low', 'normal', 'high', 'urgent']).optional(),
  excerpt: z.array(z.string()).optional(),
};

/** Of what an agent told, the context alone. */
export function contextOf(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const told = Object.keys(RequestContext).filter((field) => data[field] !== undefined);
  return Object.fromEntries(told.map((field) => [field, data[field]]));
}

export const PolicyReference = z.object({
  scope: z.string(),
  digest: Digest.nullable(),
  revision: z.number().int(),
  /** What this layer alone would have decided, and by which of its rules; not of a set that a layer includes. */
  decide: z.enum(['allow', 'deny', 'require_approval', 'abstain']).optional(),
  rule: z.string().nullable().optional(),
});
export type PolicyReference = z.infer<typeof PolicyReference>;

export const ActionRequested = z.object({
  ...OfAction,
  action_name: z.string(),
  payload: z.unknown(),
  payload_digest: Digest,
  idempotency_key: z.string().nullable(),
  owner: z.string(),
  ...RequestContext,
  policy: z.string().optional(),
  timeout_ms: z.number().int().positive().optional(),
  /** Who has to agree as well as those whom the policy asks. */
  approvers: z.array(Approver).optional(),
  accepts: z.array(z.enum(['edits', 'choices'])).optional(),
  answer_schema: AnswerSchema.optional(),
  /** Where the caller is told of the decision, in a box that only gateway and notifier open. */
  callback: z.string().optional(),
});

const Decided = {
  ...OfAction,
  action_name: z.string(),
  request_event: z.string(),
  reason: z.string(),
  rule: z.string().nullable(),
  scope: z.string().nullable(),
  policies: z.array(PolicyReference),
  payload_digest: Digest,
  deciders: z.array(z.string()),
  held: z.boolean(),
  /** Of the payload that was decided on, where people have changed it. */
  revision: z.number().int().min(2).optional(),
  /** What people chose and answered. */
  choice: z.string().optional(),
  answer: z.unknown().optional(),
  case: z.string().optional(),
  proof: z.string(),
};

export const ActionDecided = z.discriminatedUnion('decision', [
  z.object({
    ...Decided,
    decision: z.literal('allowed'),
    cause: z.enum(['policy', 'votes', 'timeout']),
    valid_until: Instant,
  }),
  z.object({
    ...Decided,
    decision: z.literal('denied'),
    cause: z.enum(['policy', 'votes', 'timeout', 'withdrawn', 'cancelled', 'evaluation_failed', 'forged']),
  }),
]);

export const ActionExecuted = z.object({
  ...OfAction,
  /** The permission that was used: an id may come back for another action when the stream has forgotten the first. */
  decision_event: z.string(),
  status: z.enum(['success', 'error', 'unknown']),
  error: z.string().optional(),
  latency_ms: z.number().nonnegative().optional(),
  result: z.unknown().optional(),
  late: z.boolean(),
  case: z.string().optional(),
});

export const ActionLogged = z.object({
  ...OfAction,
  action_name: z.string(),
  summary: z.string().optional(),
  outcome: z.enum(['success', 'failure', 'unknown']),
  payload: z.unknown().optional(),
  in_reply_to: ActionId.optional(),
  ...RequestContext,
});

export const GrantConsumed = z.object({ ...OfAction, grant: z.string(), decision_event: z.string() });
export const GrantRevoked = z.object({
  grant: z.string(),
  agent: AgentName,
  revoked_by: z.string(),
  reason: z.string().optional(),
});
