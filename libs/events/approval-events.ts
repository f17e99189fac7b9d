import * as z from 'zod';
import { PolicyReference, RequestContext } from './action-events.ts';
import { AnswerSchema } from './answer-schema.ts';
import { Approver, Demand } from './approvers.ts';
import { Digest, Instant, OfAction } from './names.ts';

export const Voter = z.object({ id: z.string(), email: z.string(), name: z.string().optional() });
export type Voter = z.infer<typeof Voter>;

export const Vote = z.enum(['approve', 'reject']);
export const voteChannels = ['api', 'inbox', 'slack', 'email'] as const;
export const VoteChannel = z.enum(voteChannels);
export type VoteChannel = z.infer<typeof VoteChannel>;

const votePlaces: Record<VoteChannel, string> = {
  api: 'by API',
  inbox: 'on its page, signed in to Placet',
  slack: 'in Slack',
  email: 'by the link in the mail',
};

/** Where people may vote, in words. */
export const placesText = (channels: readonly VoteChannel[]): string =>
  channels.map((channel) => votePlaces[channel]).join(' or ');

/** How loud it is where people are paged, the loudest last. */
export const severities = ['info', 'warning', 'error', 'critical'] as const;
export const Severity = z.enum(severities);
export type Severity = z.infer<typeof Severity>;

/** What the caller can take beside "allowed" and "denied". */
export const Accepts = z.array(z.enum(['edits', 'choices']));
/** A choice of the people that means one of the two. */
export const Choice = z.object({ name: z.string(), means: z.enum(['allow', 'deny']) });
export type Choice = z.infer<typeof Choice>;

/** What happens while nobody decides, and when; in the order of time. */
export const Step = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('remind'), at: Instant, share: z.number() }),
  z.object({
    kind: z.literal('escalate'),
    at: Instant,
    /** Which of the demands asks others then. */
    demand: z.number().int().nonnegative(),
    approvers: z.array(Approver).min(1),
    /** Those instead of whom was asked before; otherwise beside them. */
    replace: z.boolean().optional(),
  }),
]);
export type Step = z.infer<typeof Step>;

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
  /** Reminders and escalations that are to come. */
  steps: z.array(Step).optional(),
  /** Paths of the payload that stand in it as "[redacted]"; its digest is that of the whole. */
  redacted: z.array(z.string()).optional(),
  /** Of some of these paths the roles that are shown what stands there. */
  redacted_except: z.record(z.string(), z.array(z.string())).optional(),
  /** Who changed the payload to what it is now. */
  edited_by: z.array(Voter).optional(),
  /** Paths of the payload that who is asked may change; only where the caller accepts edits. */
  editable: z.array(z.string()).optional(),
  /** What people choose among, instead of approving or rejecting. */
  choices: z.array(Choice).optional(),
  /** What an approval has to answer, as a JSON Schema that the agent gave. */
  answer_schema: AnswerSchema.optional(),
  accepts: Accepts.optional(),
  /** When who votes has to say why; absent: never. */
  require_reason: z.enum(['never', 'on_reject', 'always']).optional(),
  /** Where people may decide; absent: anywhere. */
  only_in: z.array(VoteChannel).min(1).optional(),
  severity: Severity.optional(),
  /** Who is told how it ended, beside those who were asked. */
  inform: z.array(Approver).optional(),
  valid_for_ms: z.number().int().positive(),
  ...RequestContext,
});

/**
 * For each demand as whom a person takes part in it, or null. In whose place, where somebody handed it to this person:
 * the two are one.
 */
export const EligibleAs = z.array(
  z.object({ as: z.array(z.string()).min(1), in_place_of: z.string().optional() }).nullable(),
);
export type EligibleAs = z.infer<typeof EligibleAs>;

/** What every event says that changes who is asked, or until when nothing happens. */
const Standing = {
  /** Under which keys people are asked from now on. */
  audience: z.array(z.string()),
  /** When the clock has to look at it next. */
  due: Instant,
  case: z.string().optional(),
};

const ByPerson = {
  ...OfAction,
  number: z.number().int().positive(),
  /** The question that brought it. */
  request: z.string(),
  eligible_as: EligibleAs,
  channel: VoteChannel,
  comment: z.string().optional(),
};

export const ApprovalVoted = z.object({
  ...ByPerson,
  vote: Vote,
  choice: z.string().optional(),
  answer: z.unknown().optional(),
  voter: Voter,
  payload_digest: Digest,
  case: z.string().optional(),
});

export const Change = z.object({
  path: z.string(),
  /** Absent where nothing stood there. */
  from: z.unknown().optional(),
  to: z.unknown(),
});
export type Change = z.infer<typeof Change>;

export const ApprovalEdited = z.object({
  ...ByPerson,
  editor: Voter,
  /** Of the payload as it becomes: one more than of the one that was shown. */
  revision: z.number().int().min(2),
  previous_digest: Digest,
  payload: z.unknown(),
  payload_digest: Digest,
  changes: z.array(Change).min(1),
  ...Standing,
});

const Stepped = {
  ...OfAction,
  number: z.number().int().positive(),
  /** Its place among the steps of the approval, from 0. */
  step: z.number().int().nonnegative(),
  ...Standing,
};
export const ApprovalReminded = z.object({ ...Stepped, share: z.number() });
export const ApprovalEscalated = z.object({
  ...Stepped,
  demand: z.number().int().nonnegative(),
  approvers: z.array(Approver),
  replace: z.boolean().optional(),
});

export const ApprovalReassigned = z.object({
  ...ByPerson,
  by: Voter,
  /** The id of the person whose place it is. */
  place: z.string(),
  approvers: z.array(Approver).min(1),
  ...Standing,
});

export const ApprovalCommented = z.object({
  ...OfAction,
  by: Voter,
  comment: z.string(),
  channel: VoteChannel,
  case: z.string().optional(),
});
export const ApprovalSeen = z.object({ ...OfAction, by: Voter, channel: VoteChannel });

export const ApprovalClosed = z.object({
  ...OfAction,
  action_name: z.string(),
  decision: z.enum(['allowed', 'denied']),
  cause: z.string().optional(),
  decision_event: z.string(),
  reason: z.string(),
  deciders: z.array(z.string()),
  choice: z.string().optional(),
  /** Who is told of it beside those who were asked. */
  inform: z.array(Approver).optional(),
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
