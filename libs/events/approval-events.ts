import * as z from 'zod';
import { PolicyReference, RequestContext } from './action-events.ts';
import { Digest, Instant, OfAction } from './names.ts';

/** A channel is kept without its `#`, an email in lower case. */
export const Approver = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('channel'), channel: z.string() }),
  z.object({ kind: z.literal('role'), role: z.string() }),
  z.object({ kind: z.literal('user'), email: z.string() }),
]);
export type Approver = z.infer<typeof Approver>;

/** Whom one layer of the policy asks. No approvers means any person with the role approver. */
export const Demand = z.object({
  scope: z.string().nullable(),
  rule: z.string().nullable(),
  approvers: z.array(Approver),
  quorum: z.number().int().positive(),
  /** Whether the owner of the agent that asks may not vote, nor on whose behalf it asks. */
  separate: z.boolean().optional(),
});
export type Demand = z.infer<typeof Demand>;

export const Voter = z.object({ id: z.string(), email: z.string(), name: z.string().optional() });
export type Voter = z.infer<typeof Voter>;

export const Vote = z.enum(['approve', 'reject']);
export const VoteChannel = z.enum(['api', 'inbox', 'slack', 'email']);

/** Everything a person needs to judge, and a channel to show, without reading another event. */
export const ApprovalNeeded = z.object({
  ...OfAction,
  action_name: z.string(),
  request_event: z.string(),
  revision: z.number().int().positive(),
  payload: z.unknown(),
  payload_digest: Digest,
  owner: z.string(),
  reason: z.string(),
  rule: z.string().nullable(),
  scope: z.string().nullable(),
  policies: z.array(PolicyReference),
  demands: z.array(Demand).min(1),
  requested_at: Instant,
  deadline: Instant,
  on_timeout: z.enum(['deny', 'allow']),
  /** Paths of the payload that stand in it as "[redacted]"; its digest is that of the whole. */
  redacted: z.array(z.string()).optional(),
  /** When who votes has to say why; absent: never. */
  require_reason: z.enum(['never', 'on_reject', 'always']).optional(),
  valid_for_ms: z.number().int().positive(),
  ...RequestContext,
});

export const ApprovalVoted = z.object({
  ...OfAction,
  number: z.number().int().positive(),
  request: z.string(),
  vote: Vote,
  comment: z.string().optional(),
  voter: Voter,
  /** By which of the approvers each demand counts this vote; null where it does not. */
  eligible_as: z.array(z.string().nullable()),
  channel: VoteChannel,
  payload_digest: Digest,
  case: z.string().optional(),
});

export const ApprovalEdited = z.object({
  ...OfAction,
  number: z.number().int().positive(),
  request: z.string(),
  editor: Voter,
  eligible_as: z.string(),
  channel: VoteChannel,
  previous_digest: Digest,
  payload: z.unknown(),
  payload_digest: Digest,
  comment: z.string().optional(),
});

export const ApprovalEscalated = z.object({
  ...OfAction,
  number: z.number().int().positive(),
  step: z.number().int(),
  approvers: z.array(Approver),
});
export const ApprovalReminded = z.object({
  ...OfAction,
  number: z.number().int().positive(),
  share: z.number(),
});
export const ApprovalReassigned = z.object({
  ...OfAction,
  number: z.number().int().positive(),
  by: Voter,
  approvers: z.array(Approver),
  comment: z.string().optional(),
});

export const ApprovalCommented = z.object({ ...OfAction, by: Voter, comment: z.string() });
export const ApprovalSeen = z.object({ ...OfAction, by: Voter, channel: VoteChannel });

export const ApprovalClosed = z.object({
  ...OfAction,
  action_name: z.string(),
  decision: z.enum(['allowed', 'denied']),
  decision_event: z.string(),
  reason: z.string(),
  deciders: z.array(z.string()),
  /** The decision's own proof, for readers who hold no key of ours. */
  proof: z.string(),
  case: z.string().optional(),
});

const Notification = {
  ...OfAction,
  channel: z.string(),
  target: z.string(),
  about: z.string(),
  about_type: z.string(),
  attempts: z.number().int().nonnegative(),
  case: z.string().optional(),
};
export const NotificationSent = z.object(Notification);
export const NotificationFailed = z.object({ ...Notification, error: z.string() });

export function approverText(approver: Approver): string {
  switch (approver.kind) {
    case 'channel':
      return `#${approver.channel}`;
    case 'role':
      return `role:${approver.role}`;
    case 'user':
      return `user:${approver.email}`;
    default:
      return approver satisfies never;
  }
}

/** Everybody who is asked, as people write it. */
export function askedOf(demands: Demand[]): string[] {
  const asked = demands.flatMap(({ approvers }) =>
    approvers.length > 0 ? approvers.map(approverText) : ['role:approver'],
  );
  return [...new Set(asked)];
}
