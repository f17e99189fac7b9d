import * as z from 'zod';
import { Vote, VoteChannel, Voter } from './approval-events.ts';
import { CaseEntry } from './approval-view.ts';
import { Approver } from './approvers.ts';
import { holdsSeal } from './catalogue.ts';
import { SlackIdentity } from './configuration.ts';
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
  reachable: `${root}.gateway.reachable`,
  mailLink: `${root}.gateway.mail_link`,
  testChannel: `${root}.notifier.test_channel`,
  slackModal: `${root}.notifier.slack_modal`,
  webhooks: `${root}.gateway.webhooks`,
  disableWebhook: `${root}.gateway.disable_webhook`,
  deliveries: `${root}.notifier.deliveries`,
  redeliver: `${root}.notifier.redeliver`,
  testWebhook: `${root}.notifier.test_webhook`,
} as const;
export type RequestSubject = (typeof requests)[keyof typeof requests];

export function answererOf(subject: RequestSubject): Service {
  return subject.split('.')[1] as Service;
}

/** People and agents come through one door, which asks the others. Of that one itself the notifier asks. */
export function askerOf(subject: RequestSubject): Service {
  return answererOf(subject) === 'gateway' ? 'notifier' : 'gateway';
}

/** Where an answer is sent: whoever answers may write there, and nowhere else among the replies to the asker. */
export function replySubject(to: Service, subject: RequestSubject, id: string): string {
  return `${inboxPrefix(to)}.${answererOf(subject)}.${id}`;
}

/**
 * The audit service and the notifier hold no seal key. What the first answers is checked by the record's own proofs;
 * who asks in the place of the second is told what the notifier is told, and no more.
 */
export function isSealed(subject: RequestSubject): boolean {
  return holdsSeal(answererOf(subject)) && holdsSeal(askerOf(subject));
}

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
  /** When it was clicked, where somebody else hands that on, who may have kept it. */
  clicked_at: z.iso.datetime().optional(),
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
  newest: z.literal(true).optional(),
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

/** Who may vote on an approval as it stands now, or who is told how it ended, and where they are. */
export const ReachableQuestion = z.object({
  ...ActionQuestion.shape,
  informed: z.array(Approver).max(100).optional(),
});
export const Reachable = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string().optional(),
  slack: z.array(z.object({ team: z.string(), user: z.string() })),
  /** As whom they are asked, or told, as people write it. */
  as: z.array(z.string()),
});
export type Reachable = z.infer<typeof Reachable>;
export const ReachableAnswer = z.object({ people: z.array(Reachable) });

/**
 * A link by which one person sees one approval, and decides on the payload as it is now, without signing in. A new one
 * each time: it is kept nowhere but with whoever it is sent to.
 */
export const MailLinkQuestion = z.object({
  ...ActionQuestion.shape,
  person: z.string(),
  payload_digest: z.string(),
});
export type MailLinkQuestion = z.infer<typeof MailLinkQuestion>;
export const MailLinkAnswer = z.object({ url: z.string() });

/** A modal before whoever clicked, as Slack takes it: the notifier alone can open one. */
export const SlackModalQuestion = z.object({
  trigger_id: z.string(),
  view: z.record(z.string(), z.unknown()),
});

/** Something harmless to a place, or to a person as an approval would reach them, to see whether it arrives. */
export const TestChannelQuestion = z.discriminatedUnion('kind', [
  /** As the channel knows it: a channel of Slack, a service of PagerDuty. */
  z.object({ kind: z.literal('slack'), target: z.string() }),
  z.object({ kind: z.literal('pagerduty'), target: z.string() }),
  z.object({ kind: z.literal('person'), email: z.string(), slack: z.array(SlackIdentity) }),
]);
export type TestChannelQuestion = z.infer<typeof TestChannelQuestion>;
const TestedChannel = z.enum(['slack', 'email', 'pagerduty']);
export const TestChannelAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), channel: TestedChannel }),
  z.object({ ok: z.literal(false), channel: TestedChannel, reason: z.string() }),
]);
export type TestChannelAnswer = z.infer<typeof TestChannelAnswer>;
