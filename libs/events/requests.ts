import * as z from 'zod';
import { PolicyReference } from './action-events.ts';
import { Vote, VoteChannel, Voter } from './approval-events.ts';
import { ActionId, AgentName, type Service } from './names.ts';
import { inboxPrefix } from './subjects.ts';

const root = 'placetrpc';

/** Questions that one service asks another over NATS; whoever is free of the asked service's instances answers. */
export const requests = {
  vote: `${root}.decisions.vote`,
  withdraw: `${root}.decisions.withdraw`,
  cancel: `${root}.decisions.cancel`,
  outcome: `${root}.decisions.outcome`,
  approvals: `${root}.decisions.approvals`,
  approval: `${root}.decisions.approval`,
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

export const VoteQuestion = z.object({
  action_id: ActionId,
  vote: Vote,
  comment: z.string().optional(),
  payload_digest: z.string().optional(),
  channel: VoteChannel,
  voter: Voter.extend({ roles: z.array(z.string()) }),
});
export type VoteQuestion = z.infer<typeof VoteQuestion>;

export const VoteAnswer = z.object({
  action_id: z.string(),
  vote: Vote,
  decision: z.enum(['pending', 'allowed', 'denied']),
  reason: z.string().optional(),
});
export type VoteAnswer = z.infer<typeof VoteAnswer>;

export const ActionQuestion = z.object({ agent: AgentName, action_id: ActionId });

/** An administrator ends it, whoever was asked. */
export const CancelQuestion = z.object({ action_id: ActionId, by: Voter, reason: z.string() });
export const CancelAnswer = z.object({
  action_id: z.string(),
  decision: z.literal('denied'),
  reason: z.string(),
});

/** `audience` are the keys under which a person is asked; null sees everything. */
export const Audience = z.array(z.string().max(320)).max(200).nullable();

export const ApprovalsQuestion = z.object({
  status: z.enum(['pending', 'decided', 'all']),
  audience: Audience,
  before: z.number().int().optional(),
  limit: z.number().int().min(1).max(200),
});
export type ApprovalsQuestion = z.infer<typeof ApprovalsQuestion>;
export const ApprovalQuestion = z.object({ action_id: ActionId, audience: Audience });

/** An approval as people see it. Its id is its action's. */
export const ApprovalView = z
  .object({
    id: z.string(),
    status: z.enum(['pending', 'decided']),
    decision: z.enum(['allowed', 'denied']).nullable(),
    action_name: z.string(),
    agent: z.string(),
    owner: z.string(),
    payload: z.unknown(),
    payload_digest: z.string(),
    reason: z.string().describe('Why it is held.'),
    rule: z.string().nullable(),
    scope: z.string().nullable().describe('Whose rule, or default, holds it; null: no policy covers it.'),
    policies: z.array(PolicyReference).describe('Each text that it was judged by.'),
    redacted: z.array(z.string()).describe('Parts of the payload that are hidden here.'),
    approvers: z.array(z.string()),
    demands: z
      .array(
        z.object({
          approvers: z.array(z.string()),
          quorum: z.number(),
          met: z.number(),
          separate: z
            .boolean()
            .describe('Whether the owner of the agent, and on whose behalf it asks, may not vote.'),
        }),
      )
      .describe('What each layer of the policy asks for; all of it has to be met.'),
    requested_at: z.string(),
    deadline: z.string(),
    on_timeout: z.enum(['deny', 'allow']).describe('What becomes of it when nobody decides in time.'),
    require_reason: z
      .enum(['never', 'on_reject', 'always'])
      .describe('When a vote needs a comment that says why.'),
    votes: z.array(z.object({ by: z.string(), vote: Vote, comment: z.string().optional(), at: z.string() })),
    decided_at: z.string().nullable(),
    decided_by: z.array(z.string()),
    decision_reason: z.string().nullable(),
    context: z
      .record(z.string(), z.unknown())
      .describe('What the agent told: reasoning, case, tool and the like.'),
  })
  .meta({ id: 'Approval' });
export type ApprovalView = z.infer<typeof ApprovalView>;
export const ApprovalsAnswer = z.object({ approvals: z.array(ApprovalView), before: z.number().nullable() });

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
