import {
  type ApprovalView,
  approvalsOf,
  askedOf,
  contextOf,
  type EventOf,
  type EventType,
} from '@placet/events';
import type { ActionRecord } from './store.ts';

function latest<T extends EventType>(record: ActionRecord, type: T): EventOf<T> | null {
  const found = record.events.findLast(({ event }) => event.type === type);
  return (found?.event as EventOf<T> | undefined) ?? null;
}

export const neededIn = (record: ActionRecord) => latest(record, 'approval.needed');
export const decidedIn = (record: ActionRecord) => latest(record, 'action.decided');
export const executedIn = (record: ActionRecord) => latest(record, 'action.executed');

/** Where a list goes on after this approval. */
export function neededSeq(record: ActionRecord): number | null {
  return record.events.findLast(({ event }) => event.type === 'approval.needed')?.seq ?? null;
}

/** An approval as people see it; null for an action that was never held. */
export function approvalView(record: ActionRecord): ApprovalView | null {
  const needed = neededIn(record);
  if (!needed) return null;
  const decided = decidedIn(record);
  const { data } = needed;
  return {
    id: data.action_id,
    status: decided || record.blocked ? 'decided' : 'pending',
    decision: decided?.data.decision ?? (record.blocked ? 'denied' : null),
    action_name: data.action_name,
    agent: data.agent,
    owner: data.owner,
    payload: data.payload,
    payload_digest: data.payload_digest,
    reason: data.reason,
    rule: data.rule,
    scope: data.scope,
    policies: data.policies,
    redacted: data.redacted ?? [],
    approvers: askedOf(data.demands),
    demands: data.demands.map(({ approvers, quorum, separate = false }, index) => ({
      approvers: askedOf([{ scope: null, rule: null, approvers, quorum }]),
      quorum,
      met: approvalsOf(votesOf(record), index),
      separate,
    })),
    requested_at: data.requested_at,
    deadline: data.deadline,
    on_timeout: data.on_timeout,
    require_reason: data.require_reason ?? 'never',
    votes: votesIn(record),
    decided_at: decided?.time ?? null,
    decided_by: decided?.data.deciders ?? [],
    decision_reason:
      decided?.data.reason ??
      (record.blocked ? 'The stream does not hold a decision that Placet wrote.' : null),
    context: contextOf(data),
  };
}

const votesOf = (record: ActionRecord) =>
  record.events.flatMap(({ event }) => (event.type === 'approval.voted' ? [event.data] : []));

function votesIn(record: ActionRecord): ApprovalView['votes'] {
  return record.events.flatMap(({ event }) => {
    if (event.type !== 'approval.voted') return [];
    const { voter, vote, comment } = event.data;
    return [{ by: voter.email, vote, at: event.time, ...(comment === undefined ? {} : { comment }) }];
  });
}
