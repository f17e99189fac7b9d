import { audienceOf } from '@placet/events';
import type { Document } from 'mongodb';
import { type DueAction, type ForgedMessage, owedAfterMs, type StoredEvent } from './store.ts';

/** The last that is known of each kind. `seq` comes first, for MongoDB compares documents field by field. */
export type Marks = {
  requested?: { seq: number; at: Date };
  needed?: { seq: number; deadline: Date; audience: string[] };
  decided?: { seq: number; blocked: boolean };
  closed?: { seq: number };
  owed?: { seq: number; at: Date };
};

/** An action as MongoDB holds it: its marks, and what follows of them for those who search. */
export type StoredAction = Marks & {
  _id: string;
  action: string;
  agent: string;
  /** Of an action that was held. */
  status?: 'pending' | 'decided';
  /** Of an action without a decision: since when it waits to be judged, or until when for people. */
  open?: { of: 'held' | 'unjudged'; at: Date; seq: number };
};

export type Told = { action: DueAction; marks: Marks };

/** Stands for everybody in an audience; no approver is written like that. */
export const anybody = '*';

/** Whoever reached the broker can put a message under another agent's name: that is another action. */
export function keyOf({ actionId, agent }: DueAction): string {
  return `${actionId}/${agent}`;
}

/** What a batch tells of each action. Of each kind the last counts, so their order does not. */
export function toldBy(messages: (StoredEvent | ForgedMessage)[]): Told[] {
  const told = new Map<string, Told>();
  for (const message of messages) {
    const one = 'event' in message ? toldByEvent(message) : toldByForged(message);
    if (!one) continue;
    const key = keyOf(one.action);
    const known = told.get(key) ?? { action: one.action, marks: {} };
    told.set(key, { action: one.action, marks: latest(known.marks, one.marks) });
  }
  return [...told.values()];
}

function latest(known: Marks, next: Marks): Marks {
  const newer = Object.entries(next).filter(
    ([kind, { seq }]) => (known[kind as keyof Marks]?.seq ?? 0) < seq,
  );
  return { ...known, ...Object.fromEntries(newer) };
}

function toldByForged({ seq, forged, at }: ForgedMessage): Told {
  const { actionId, agent, isDecision } = forged;
  const marks = { owed: { seq, at }, ...(isDecision ? { decided: { seq, blocked: true } } : {}) };
  return { action: { actionId, agent }, marks };
}

function toldByEvent({ seq, event }: StoredEvent): Told | null {
  if (!('action_id' in event.data)) return null;
  const action = { actionId: event.data.action_id, agent: event.data.agent };
  const time = Date.parse(event.time);
  const owed = { seq, at: new Date(time + owedAfterMs) };
  switch (event.type) {
    case 'action.requested':
      return { action, marks: { requested: { seq, at: new Date(time) } } };
    case 'approval.needed': {
      const { deadline, demands } = event.data;
      const audience = [anybody, ...audienceOf(demands)];
      return { action, marks: { needed: { seq, deadline: new Date(deadline), audience } } };
    }
    case 'approval.voted':
      return { action, marks: { owed } };
    case 'action.decided': {
      const decided = { seq, blocked: false };
      return { action, marks: event.data.held ? { decided, owed } : { decided } };
    }
    case 'approval.closed':
      return { action, marks: { closed: { seq } } };
    default:
      return null;
  }
}

const isThere = (field: string) => ({ $ne: [{ $type: field }, 'missing'] });
const keptIf = (condition: Document, what: string | Document) => ({ $cond: [condition, what, '$$REMOVE'] });
const afterRequest = (kind: string) => keptIf({ $gt: [`$${kind}.seq`, '$requested.seq'] }, `$${kind}`);
const settledUntil = { $max: ['$requested.seq', '$closed.seq'] };

/** A later request under the same id is another action: what came before it in the stream is not its own. */
const ownMarks = {
  needed: afterRequest('needed'),
  decided: afterRequest('decided'),
  closed: afterRequest('closed'),
  owed: keptIf({ $gt: ['$owed.seq', settledUntil] }, '$owed'),
};

const status = keptIf(isThere('$needed'), { $cond: [isThere('$decided'), 'decided', 'pending'] });
const held = { of: 'held', at: '$needed.deadline', seq: '$needed.seq' };
const unjudged = { of: 'unjudged', at: '$requested.at', seq: '$requested.seq' };
const waiting = { $cond: [isThere('$needed'), held, keptIf(isThere('$requested'), unjudged)] };
const open = { $cond: [isThere('$decided'), '$$REMOVE', waiting] };

/**
 * Merges marks into an action, as one atomic step whose result is the same in whatever order and however often it is
 * done. A literal, for what comes from outside may begin with a dollar sign.
 */
export function merging({ action, marks }: Told): Document[] {
  const { actionId, agent } = action;
  const latest = Object.entries(marks).map(([kind, mark]) => [
    kind,
    { $max: [`$${kind}`, { $literal: mark }] },
  ]);
  return [
    { $set: { action: { $literal: actionId }, agent: { $literal: agent }, ...Object.fromEntries(latest) } },
    { $set: ownMarks },
    { $set: { status, open } },
  ];
}
