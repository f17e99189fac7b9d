import {
  type ApprovalView,
  approvalsOf,
  approverText,
  askedNow,
  askedOf,
  type Change,
  contextOf,
  type EventData,
  type EventOf,
  type EventType,
  eligibilityOf,
  isEligible,
  isOfType,
  peopleWanted,
  type Standing,
  standingOf,
  standingVotes,
  type VoteQuestion,
} from '@placet/events';
import { redact, redacted } from '@placet/policy';
import { defined } from '@placet/runtime';
import { overlaps } from './payload-changes.ts';
import type { ActionRecord } from './store.ts';

function latest<T extends EventType>(record: ActionRecord, type: T): EventOf<T> | null {
  return all(record, type).at(-1) ?? null;
}

function all<T extends EventType>(record: ActionRecord, type: T): EventOf<T>[] {
  return record.events.map(({ event }) => event).filter(isOfType(type));
}

export const neededIn = (record: ActionRecord) => latest(record, 'approval.needed');
export const decidedIn = (record: ActionRecord) => latest(record, 'action.decided');
export const executedIn = (record: ActionRecord) => latest(record, 'action.executed');

/** Where a list goes on after this action: what it is called by never moves. */
export function requestSeq(record: ActionRecord): number | null {
  return record.events.find(({ event }) => event.type === 'action.requested')?.seq ?? null;
}

type Viewer = VoteQuestion['voter'];

/** An approval as somebody sees it; null for an action that was never held. */
export function approvalView(record: ActionRecord, by: Viewer): ApprovalView | null {
  const standing = standingOf(record.events.map(({ event }) => event));
  if (!standing) return null;
  const { data } = standing.needed;
  return {
    id: data.action_id,
    ...ended(record),
    action_name: data.action_name,
    agent: data.agent,
    owner: data.owner,
    ...shown(record, data, by.roles),
    payload_digest: data.payload_digest,
    revision: data.revision,
    reason: data.reason,
    rule: data.rule,
    scope: data.scope,
    policies: data.policies,
    approvers: askedNow(standing),
    demands: demandsIn(standing),
    requested_at: data.requested_at,
    deadline: data.deadline,
    on_timeout: data.on_timeout,
    require_reason: data.require_reason ?? 'never',
    only_in: data.only_in ?? null,
    severity: data.severity ?? null,
    editable: data.accepts?.includes('edits') ? (data.editable ?? []) : [],
    choices: data.choices ?? [],
    answer_schema: data.answer_schema ?? null,
    accepts: data.accepts ?? [],
    may_vote: !decidedIn(record) && isEligible(eligibilityOf(standing, by)),
    inform: (data.inform ?? []).map(approverText),
    steps: stepsIn(record),
    votes: votesIn(record, standing),
    edits: all(record, 'approval.edited').map(({ data: { editor, changes, comment }, time }) => ({
      by: editor.email,
      at: time,
      changes: changes.map((change) => shownChange(change, data.redacted ?? [])),
      ...defined({ comment }),
    })),
    comments: all(record, 'approval.commented').map(({ data: { by, comment }, time }) => ({
      by: by.email,
      comment,
      at: time,
    })),
    handed: all(record, 'approval.reassigned').map(({ data: { by, approvers, comment }, time }) => ({
      by: by.email,
      to: approvers.map(approverText),
      at: time,
      ...defined({ comment }),
    })),
    context: contextOf(data),
  };
}

const notOurs = 'The stream does not hold a decision that Placet wrote.';

function ended(record: ActionRecord) {
  const decided = decidedIn(record);
  const { blocked } = record;
  return {
    status: decided || blocked ? ('decided' as const) : ('pending' as const),
    decision: decided?.data.decision ?? (blocked ? ('denied' as const) : null),
    decided_at: decided?.time ?? null,
    decided_by: decided?.data.deciders ?? [],
    decision_reason: decided?.data.reason ?? (blocked ? notOurs : null),
    choice: decided?.data.choice ?? null,
    answer: decided?.data.answer ?? null,
  };
}

/** What is hidden from people stays so, except from roles that the policy lets see it. */
function shown(record: ActionRecord, needed: EventData<'approval.needed'>, roles: readonly string[]) {
  const { redacted = [], redacted_except: except = {} } = needed;
  const hidden = redacted.filter((path) => !except[path]?.some((role) => roles.includes(role)));
  if (hidden.length === redacted.length) return { payload: needed.payload, redacted };
  const whole = wholePayload(record, needed.payload_digest);
  if (whole === undefined) return { payload: needed.payload, redacted };
  return { payload: redact(whole, hidden), redacted: hidden };
}

function wholePayload(record: ActionRecord, digest: string): unknown {
  const holders = [...all(record, 'action.requested'), ...all(record, 'approval.edited')];
  return holders.findLast(({ data }) => data.payload_digest === digest)?.data.payload;
}

function demandsIn({ demands, votes }: Standing): ApprovalView['demands'] {
  const said = votes.map(({ data }) => data);
  return demands.map((demand, position) => ({
    approvers: askedOf([demand]),
    quorum: peopleWanted(demand),
    met: approvalsOf(demand, said, position),
    ...defined({ ways: demand.ways }),
    reject: demand.reject ?? 'any',
    separate: demand.separate ?? false,
  }));
}

/** A changed payload has the steps that were left: those before it are the ones that were taken. */
function stepsIn(record: ActionRecord): ApprovalView['steps'] {
  const needs = record.events.flatMap(({ event, seq }) =>
    isNeeded(event) ? [{ steps: event.data.steps ?? [], seq }] : [],
  );
  return needs.flatMap(({ steps, seq: since }, n) => {
    const until = needs[n + 1]?.seq;
    const shown = steps.map((step, position): ApprovalView['steps'][number] => ({
      kind: step.kind,
      at: step.at,
      done_at: doneAt(record, position, { since, until }),
      ...(step.kind === 'escalate' ? { to: step.approvers.map(approverText) } : {}),
      ...(step.kind === 'escalate' && step.replace ? { replace: true } : {}),
    }));
    return until === undefined ? shown : shown.filter(({ done_at }) => done_at !== null);
  });
}

const isNeeded = isOfType('approval.needed');

function doneAt(
  { events }: ActionRecord,
  position: number,
  { since, until = Number.POSITIVE_INFINITY }: { since: number; until: number | undefined },
): string | null {
  const taken = events.find(({ event, seq }) => {
    const isStep = event.type === 'approval.reminded' || event.type === 'approval.escalated';
    return isStep && event.data.step === position && seq > since && seq < until;
  });
  return taken?.event.time ?? null;
}

/** Longer values are looked up in the payload. */
const briefCharsMax = 500;

function brief(value: unknown): unknown {
  const text = JSON.stringify(value) ?? '';
  return text.length <= briefCharsMax ? value : `[${text.length} characters]`;
}

/** What was changed before somebody hid it is hidden too. */
function shownChange({ path, ...values }: Change, hidden: readonly string[]): Change {
  const isHidden = hidden.some((one) => overlaps(path, one));
  const to = isHidden ? redacted : brief(values.to);
  if (!('from' in values)) return { path, to };
  return { path, from: isHidden ? redacted : brief(values.from), to };
}

/** Each with the revision of the payload that it was about. */
function votesIn(record: ActionRecord, standing: Standing): ApprovalView['votes'] {
  const counted = new Set(
    standingVotes(standing.votes.map(({ data }) => data)).map(({ request }) => request),
  );
  const revisions = new Map(
    all(record, 'approval.needed').map(({ data }) => [data.payload_digest, data.revision]),
  );
  return all(record, 'approval.voted').map(({ data, time }) => ({
    by: data.voter.email,
    vote: data.vote,
    at: time,
    revision: revisions.get(data.payload_digest) ?? 1,
    counts: counted.has(data.request),
    ...defined({ choice: data.choice, answer: brief(data.answer), comment: data.comment }),
  }));
}
