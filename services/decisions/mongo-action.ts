import type { Document } from 'mongodb';
import { askedBy } from './asked.ts';
import { type DueAction, type ForgedMessage, owedAfterMs, type StoredEvent } from './store.ts';

/** The last that is known of each kind. `seq` comes first, for MongoDB compares documents field by field. */
export type Marks = {
  requested?: { seq: number; at: Date; case?: string };
  needed?: { seq: number };
  asked?: { seq: number; due: Date; audience: string[] };
  decided?: { seq: number; blocked: boolean };
  closed?: { seq: number };
  owed?: { seq: number; at: Date };
};

/** The first that is known of a kind. */
export type FirstMarks = { logged?: { seq: number; case: string } };

/** An action as MongoDB holds it: its marks, and what follows of them for those who search. */
export type StoredAction = Marks &
  FirstMarks & {
    _id: string;
    action: string;
    agent: string;
    /** Of an action that was held and whose request is known: who finds it, and where among others. */
    listed?: {
      keys: string[];
      status: 'pending' | 'decided';
      seq: number;
      agent: string;
      at: Date;
      case?: string;
    };
    /** The case that it is of, since its first event. */
    inCase?: { name: string; seq: number };
    /** Of an action without a decision: since when it waits to be judged, or until when for people. */
    open?: { of: 'held' | 'unjudged'; at: Date; seq: number };
  };

export type Told = { action: DueAction; marks: Marks; first?: FirstMarks };

/** Whoever reached the broker can put a message under another agent's name: that is another action. */
export function keyOf({ actionId, agent }: DueAction): string {
  return `${actionId}/${agent}`;
}

/** What a batch tells of each action. Of each kind the last counts, or the first, so their order does not. */
export function toldBy(messages: (StoredEvent | ForgedMessage)[]): Told[] {
  const told = new Map<string, Told>();
  for (const message of messages) {
    const one = 'event' in message ? toldByEvent(message) : toldByForged(message);
    if (!one) continue;
    const key = keyOf(one.action);
    const known = told.get(key);
    told.set(key, known ? together(known, one) : one);
  }
  return [...told.values()];
}

function together(known: Told, next: Told): Told {
  const newer = Object.entries(next.marks).filter(
    ([kind, { seq }]) => (known.marks[kind as keyof Marks]?.seq ?? 0) < seq,
  );
  const firsts = [known.first?.logged, next.first?.logged].filter((logged) => logged !== undefined);
  const logged = firsts.toSorted((one, other) => one.seq - other.seq)[0];
  return {
    action: known.action,
    marks: { ...known.marks, ...Object.fromEntries(newer) },
    ...(logged ? { first: { logged } } : {}),
  };
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
  const asked = askedBy(event);
  switch (event.type) {
    case 'action.requested': {
      const of = event.data.case === undefined ? {} : { case: event.data.case };
      return { action, marks: { requested: { seq, at: new Date(time), ...of } } };
    }
    case 'approval.needed':
      return asked && { action, marks: { needed: { seq }, asked: { seq, ...asked } } };
    case 'approval.edited':
    case 'approval.reminded':
    case 'approval.escalated':
    case 'approval.reassigned':
      return asked && { action, marks: { asked: { seq, ...asked } } };
    case 'approval.voted':
      return { action, marks: { owed } };
    case 'action.decided': {
      const decided = { seq, blocked: false };
      return { action, marks: event.data.held ? { decided, owed } : { decided } };
    }
    case 'approval.closed':
      return { action, marks: { closed: { seq } } };
    case 'action.logged':
      if (event.data.case === undefined) return null;
      return { action, marks: {}, first: { logged: { seq, case: event.data.case } } };
    default:
      return null;
  }
}

const isThere = (field: string) => ({ $ne: [{ $type: field }, 'missing'] });
const keptIf = (condition: Document, what: string | Document) => ({ $cond: [condition, what, '$$REMOVE'] });
const afterRequest = (kind: string) => keptIf({ $gt: [`$${kind}.seq`, '$requested.seq'] }, `$${kind}`);
const settledUntil = { $max: ['$requested.seq', '$closed.seq'] };

/**
 * A later request under the same id is another action: what came before it in the stream is not its own. Whom it asks is
 * left, for that says nothing of an action that is not held, and the need says it anew.
 */
const ownMarks = {
  needed: afterRequest('needed'),
  decided: afterRequest('decided'),
  closed: afterRequest('closed'),
  owed: keptIf({ $gt: ['$owed.seq', settledUntil] }, '$owed'),
};

const isHeld = isThere('$needed');
const status = { $cond: [isThere('$decided'), 'decided', 'pending'] };
const [seq, at] = ['$requested.seq', '$requested.at'];
const listed = keptIf(
  { $and: [isHeld, isThere('$requested')] },
  { keys: '$asked.audience', status, seq, agent: '$agent', at, case: '$requested.case' },
);

const requestedIn = keptIf(isThere('$requested.case'), { name: '$requested.case', seq });
const loggedIn = keptIf(isThere('$logged'), { name: '$logged.case', seq: '$logged.seq' });
/** Of an action that was requested the request says of which case it is; of one that was not, the first log that does. */
const inCase = { $cond: [isThere('$requested'), requestedIn, loggedIn] };

const held = { of: 'held', at: '$asked.due', seq: '$asked.seq' };
const unjudged = { of: 'unjudged', at, seq };
const waiting = { $cond: [isHeld, held, keptIf(isThere('$requested'), unjudged)] };
const open = { $cond: [isThere('$decided'), '$$REMOVE', waiting] };

/** What follows of the marks, and what of the request and the logs alone. */
export const following = { listed, open };

/**
 * Merges marks into an action, as one atomic step whose result is the same in whatever order and however often it is
 * done. A literal, for what comes from outside may begin with a dollar sign.
 */
export function merging({ action, marks, first }: Told): Document[] {
  const { actionId, agent } = action;
  const merged = [
    ...Object.entries(marks).map(([kind, mark]) => [kind, { $max: [`$${kind}`, { $literal: mark }] }]),
    ...Object.entries(first ?? {}).map(([kind, mark]) => [kind, { $min: [`$${kind}`, { $literal: mark }] }]),
  ];
  return [
    { $set: { action: { $literal: actionId }, agent: { $literal: agent }, ...Object.fromEntries(merged) } },
    { $set: ownMarks },
    { $set: marks.requested || first ? { ...following, inCase } : following },
  ];
}
