import * as z from 'zod';
import { Vote, VoteChannel, Voter } from './approval-events.ts';
import { CaseEntry } from './approval-view.ts';
import { Approver } from './approvers.ts';
import { ActionId, AgentName, type Service } from './names.ts';
import { inboxPrefix } from './subjects.ts';

const root = 'placetrpc';

/** Questions that one service asks another over NATS; whoever is free of the asked service's instances answers. */
export const requests = {
  vote: `${root}.decisions.vote`,
  edit: `${root}.decisions.edit`,
  reassign: `${root}.decisions.reassign`,
  comment: `${root}.decisions.comment`,
  withdraw: `${root}.decisions.withdraw`,
  cancel: `${root}.decisions.cancel`,
  outcome: `${root}.decisions.outcome`,
  approvals: `${root}.decisions.approvals`,
  approval: `${root}.decisions.approval`,
  waiting: `${root}.decisions.waiting`,
  case: `${root}.decisions.case`,
  undecided: `${root}.decisions.undecided`,
  records: `${root}.audit.records`,
  counts: `${root}.policy.counts`,
} as const;
export type RequestSubject = (typeof requests)[keyof typeof requests];

/** Who asks. People and agents come through one door. */
export const asker: Service = 'gateway';

export function answererOf(subject: RequestSubject): Service {
  return subject.split('.')[1] as Service;
}

/** Where an answer is sent: whoever answers may write there, and nowhere else among the replies to the asker. */
export function replySubject(to: Service, subject: RequestSubject, id: string): string {
  return `${inboxPrefix(to)}.${answererOf(subject)}.${id}`;
}

/** The audit service holds no seal key; what it answers is checked by the record's own proofs. */
export const unsealedRequests: ReadonlySet<RequestSubject> = new Set([requests.records]);

const AskingVoter = Voter.extend({ roles: z.array(z.string()) });
const ByPerson = {
  action_id: ActionId,
  comment: z.string().optional(),
  /** What was seen. */
  payload_digest: z.string().optional(),
  channel: VoteChannel,
  voter: AskingVoter,
};

export const VoteQuestion = z.object({
  ...ByPerson,
  /** Where people choose among names, one of those instead. */
  vote: Vote.optional(),
  choice: z.string().optional(),
  answer: z.unknown().optional(),
});
export type VoteQuestion = z.infer<typeof VoteQuestion>;

export const VoteAnswer = z.object({
  action_id: z.string(),
  vote: Vote,
  choice: z.string().optional(),
  decision: z.enum(['pending', 'allowed', 'denied']),
  reason: z.string().optional(),
});
export type VoteAnswer = z.infer<typeof VoteAnswer>;

/** New values for parts of the payload, by path. */
export const EditQuestion = z.object({
  ...ByPerson,
  payload_digest: z.string(),
  changes: z.record(z.string(), z.unknown()),
});
export type EditQuestion = z.infer<typeof EditQuestion>;
export const EditAnswer = z.object({
  action_id: z.string(),
  revision: z.number(),
  payload_digest: z.string().describe('Of the changed payload: a vote on it names this one.'),
  decision: z.enum(['pending', 'allowed', 'denied']),
  reason: z.string().optional(),
});

export const ReassignQuestion = z.object({ ...ByPerson, approvers: z.array(Approver).min(1).max(20) });
export type ReassignQuestion = z.infer<typeof ReassignQuestion>;
export const ReassignAnswer = z.object({
  action_id: z.string(),
  approvers: z.array(z.string()),
  warning: z.string().optional().describe('That those who may vote are too few now.'),
});

/** `audience` as in lists: who may see an approval may comment on it. */
export const Audience = z.array(z.string().max(320)).max(200).nullable();
export const CommentQuestion = z.object({
  action_id: ActionId,
  by: Voter,
  audience: Audience,
  comment: z.string(),
  channel: VoteChannel,
});
export const CommentAnswer = z.object({ action_id: z.string(), commented_at: z.string() });

export const ActionQuestion = z.object({ agent: AgentName, action_id: ActionId });

/** An administrator ends it, whoever was asked. */
export const CancelQuestion = z.object({ action_id: ActionId, by: Voter, reason: z.string() });
export const CancelAnswer = z.object({
  action_id: z.string(),
  decision: z.literal('denied'),
  reason: z.string(),
});

/** `audience` are the keys under which a person is asked; null sees everything. */
const Asked = {
  audience: Audience,
  agent: AgentName.optional(),
  /** Only what waits since then at the latest. */
  until: z.iso.datetime().optional(),
};

/** `by` is who looks: some may see what is hidden from others. */
export const ApprovalsQuestion = z.object({
  ...Asked,
  status: z.enum(['pending', 'decided', 'all']),
  by: AskingVoter,
  /** Only what the asker may vote on, of what is open. */
  votable: z.boolean().optional(),
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(200),
});
export type ApprovalsQuestion = z.infer<typeof ApprovalsQuestion>;
export const ApprovalQuestion = z.object({
  action_id: ActionId,
  audience: Audience,
  by: AskingVoter,
});

/** How many approvals wait, for each of the audiences. */
export const WaitingQuestion = z.object({
  groups: z.array(z.object({ name: z.string(), ...Asked })).max(20),
});
export const WaitingAnswer = z.object({
  waiting: z.array(z.object({ name: z.string(), count: z.number().int(), oldest: z.string().nullable() })),
});

export const CaseAnswer = z.object({ timeline: z.array(CaseEntry), after: z.number().nullable() });

export const CaseQuestion = z.object({
  case: z.string(),
  audience: Audience,
  after: z.number().int().optional(),
  limit: z.number().int().min(1).max(500),
});

export const RecordsQuestion = z.object({
  from: z.string().optional(),
  until: z.string().optional(),
  agent: z.string().optional(),
  action: z.string().optional(),
  case: z.string().optional(),
  type: z.string().optional(),
  flawed: z.literal(true).optional(),
  after: z.number().int().optional(),
  limit: z.number().int().min(1).max(500),
});

/**
 * What is false about a message on the record, as far as it can be told without the seal key: it is no event of the
 * catalogue; one under a subject that is not its own; a decision whose proof is not its author's; or without a seal.
 */
export const Flaw = z.enum(['not_an_event', 'wrong_subject', 'wrong_proof', 'no_seal']);
export type Flaw = z.infer<typeof Flaw>;

export const AuditRecordView = z
  .object({
    index: z.number().int(),
    id: z.string(),
    stream: z.string(),
    seq: z.number().int(),
    subject: z.string(),
    type: z.string(),
    time: z.string(),
    recorded_at: z.string(),
    agent: z.string().nullable(),
    action: z.string().nullable(),
    case: z.string().nullable(),
    body: z.string(),
    seal: z
      .string()
      .nullable()
      .describe('The seal that came with the message; a value of the configuration holds its own.'),
    flaw: Flaw.nullable().describe('What is false about the message; null when nothing was found.'),
  })
  .meta({ id: 'AuditRecord' });
export const RecordsAnswer = z.object({ records: z.array(AuditRecordView), next: z.number().nullable() });

/** Where counts stand at a moment. A count is known by a text that may hold anything. */
export const CountsQuestion = z.object({
  at: z.iso.datetime(),
  counts: z.array(z.object({ id: z.string(), window_ms: z.number().int().positive() })).max(20),
});
/** Whole numbers as text, in the order of the question; null where one cannot be read. */
export const CountsAnswer = z.object({ totals: z.array(z.string().nullable()) });

/** How many accepted actions have no decision yet. */
export const UndecidedAnswer = z.object({ count: z.number().int().nonnegative() });
