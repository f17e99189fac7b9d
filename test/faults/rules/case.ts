import { type EventType, entryOf } from '@placet/events';
import type { Evidence, Stored } from '../evidence.ts';
import { type CheckRequest, isLost, type Note, successOf } from '../notes.ts';
import { type At, courseOf, type Moment } from './course.ts';

/** What the stream holds of one action. Lists, for a rule may be broken. */
export type Facts = {
  action: string;
  requested: At<'action.requested'>[];
  needed: At<'approval.needed'>[];
  voted: At<'approval.voted'>[];
  edited: At<'approval.edited'>[];
  reassigned: At<'approval.reassigned'>[];
  commented: At<'approval.commented'>[];
  decided: At<'action.decided'>[];
  closed: At<'approval.closed'>[];
  executed: At<'action.executed'>[];
  /** What happened to it after the request, in the order of the stream. */
  course: Moment[];
};

/** The evidence by actions. */
export type Case = Evidence & {
  facts: ReadonlyMap<string, Facts>;
  /** Actions whose acceptance somebody was told of, with what was asked. */
  accepted: ReadonlyMap<string, CheckRequest>;
  /** The action that a note is about, by its id or by the key that it was asked under. */
  about(note: Note): string | null;
};

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
    facts: factsOf(evidence),
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

function factsOf({ stream, people }: Pick<Evidence, 'stream' | 'people'>): Map<string, Facts> {
  const events = new Map<string, At[]>();
  for (const [action, at] of stream.flatMap(ofAction)) {
    const known = events.get(action) ?? [];
    events.set(action, known);
    known.push(at);
  }
  const asked = [...events].filter(([, all]) => all.some(({ event }) => event.type !== 'action.logged'));
  return new Map(asked.map(([action, all]) => [action, factsIn(action, all, people)]));
}

function ofAction({ seq, event }: Stored): [string, At][] {
  return event && 'action_id' in event.data ? [[event.data.action_id, { seq, event }]] : [];
}

function factsIn(action: string, all: readonly At[], people: Evidence['people']): Facts {
  const of = <T extends EventType>(type: T) => all.filter((at): at is At<T> => at.event.type === type);
  const history = all.filter(({ event }) => entryOf(event.type).root === 'act');
  return {
    action,
    requested: of('action.requested'),
    needed: of('approval.needed'),
    voted: of('approval.voted'),
    edited: of('approval.edited'),
    reassigned: of('approval.reassigned'),
    commented: of('approval.commented'),
    decided: of('action.decided'),
    closed: of('approval.closed'),
    executed: of('action.executed'),
    course: courseOf(
      history.toSorted((one, other) => one.seq - other.seq),
      people,
    ),
  };
}

export const emptyFacts = (action: string): Facts => factsIn(action, [], []);
