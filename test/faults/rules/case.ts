import type { EventOf, EventType } from '@placet/events';
import type { Evidence, Stored } from '../evidence.ts';
import { type CheckRequest, isLost, type Note, successOf } from '../notes.ts';

type At<T extends EventType> = { seq: number; event: EventOf<T> };

/** What the stream holds of one action. Lists, for a rule may be broken. */
export type Facts = {
  action: string;
  requested: At<'action.requested'>[];
  needed: At<'approval.needed'>[];
  voted: At<'approval.voted'>[];
  decided: At<'action.decided'>[];
  closed: At<'approval.closed'>[];
  executed: At<'action.executed'>[];
};

/** The evidence by actions. */
export type Case = Evidence & {
  facts: ReadonlyMap<string, Facts>;
  /** Actions whose acceptance somebody was told of, with what was asked. */
  accepted: ReadonlyMap<string, CheckRequest>;
  /** The action that a note is about, by its id or by the key that it was asked under. */
  about(note: Note): string | null;
};

const lists = {
  'action.requested': 'requested',
  'approval.needed': 'needed',
  'approval.voted': 'voted',
  'action.decided': 'decided',
  'approval.closed': 'closed',
  'action.executed': 'executed',
} as const;

export function openCase(evidence: Evidence): Case {
  const accepted = new Map<string, CheckRequest>();
  const byKey = new Map<string, string>();
  for (const note of evidence.notes) {
    const action = successOf(note)?.action_id;
    if (note.asked.kind !== 'check' || action === undefined) continue;
    accepted.set(action, note.asked.request);
    const key = keyOf(note);
    if (key !== null) byKey.set(key, action);
  }
  return {
    ...evidence,
    facts: factsOf(evidence.stream),
    accepted,
    about(note) {
      if ('action' in note.asked) return note.asked.action;
      const key = keyOf(note);
      const told = isLost(note.told)
        ? undefined
        : (note.told.body.action_id ?? note.told.body.details?.action_id);
      return told ?? (key === null ? null : (byKey.get(key) ?? null));
    },
  };
}

/** An agent and the key under which it asked. */
export function keyOf({ by, asked }: Note): string | null {
  if (asked.kind !== 'check' || asked.request.idempotency_key === undefined) return null;
  return `${by}/${asked.request.idempotency_key}`;
}

function factsOf(stream: readonly Stored[]): Map<string, Facts> {
  const found = new Map<string, Facts>();
  for (const { seq, event } of stream) {
    if (!event || !Object.hasOwn(lists, event.type) || !('action_id' in event.data)) continue;
    const action = event.data.action_id;
    const facts = found.get(action) ?? emptyFacts(action);
    found.set(action, facts);
    const list = facts[lists[event.type as keyof typeof lists]] as { seq: number; event: typeof event }[];
    list.push({ seq, event });
  }
  return found;
}

export function emptyFacts(action: string): Facts {
  return { action, requested: [], needed: [], voted: [], decided: [], closed: [], executed: [] };
}
