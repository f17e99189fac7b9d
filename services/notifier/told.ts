import {
  type EventData,
  type EventOf,
  isOfType,
  type PlacetEvent,
  type Standing,
  standingOf,
} from '@placet/events';
import type { Jwks } from '@placet/proof';
import { type BusContext, proofProblem, readHistories } from '@placet/runtime';

/** An approval as the stream has it now: all that a channel shows of it. */
export type Told = {
  actionId: string;
  agent: string;
  /** Of the payload as it is now. What was changed and not judged yet is not shown. */
  needed: EventData<'approval.needed'>;
  standing: Standing;
  comments: EventData<'approval.commented'>[];
  ended: EventData<'action.decided'> | null;
  /** Grows with each event that a channel may show. */
  version: number;
};

const notes = ['approval.commented', 'approval.closed'] as const;

/** Null where nobody is asked, or the stream has let go of it. */
export async function readTold(
  context: BusContext,
  trusted: Jwks,
  action: { agent: string; actionId: string },
): Promise<Told | null> {
  const [history] = await readHistories(context, [action], notes);
  if (!history) return null;
  const events = history.events.map(({ event }) => event);
  const standing = standingOf(events);
  if (!standing) return null;
  return {
    ...action,
    needed: standing.needed.data,
    standing,
    comments: events.filter(isOfType('approval.commented')).map(({ data }) => data),
    ended: endIn(events, trusted),
    // What nobody acts on counts as seen, too: it is not waited for.
    version: Math.max(...[...history.events, ...history.forged].map(({ seq }) => seq)),
  };
}

/** This service holds no seal key. How it ended it believes only of who decides, by the proof. */
function endIn(events: readonly PlacetEvent[], trusted: Jwks): EventOf<'action.decided'>['data'] | null {
  const decided = events.find(isOfType('action.decided'));
  return decided && proofProblem(decided, trusted) === null ? decided.data : null;
}
