import {
  type Approver,
  approverText,
  askedNow,
  type EventData,
  type EventOf,
  isOfType,
  type PlacetEvent,
  type Reachable,
  ReachableAnswer,
  requests,
  type Standing,
  standingOf,
} from '@placet/events';
import type { Jwks } from '@placet/proof';
import { ask, type BusContext, proofProblem, readHistories, Unavailable } from '@placet/runtime';

/** What somebody said, and from which state of the approval on. */
export type Said = EventData<'approval.commented'> & { version: number };

/** An approval as the stream has it now: all that a channel shows of it. */
export type Told = {
  actionId: string;
  agent: string;
  /** Of the payload as it is now. What was changed and not judged yet is not shown. */
  needed: EventData<'approval.needed'>;
  standing: Standing;
  comments: Said[];
  /** In which state people were reminded. */
  reminded: number[];
  /** What could not be delivered for good. */
  failed: EventData<'notification.failed'>[];
  ended: EventData<'action.decided'> | null;
  /** Who is to be told: who is asked now, and once it has ended whom the policy wants to hear of it. */
  asked: string[];
  /** People among them, as far as they are told by name. */
  people: Reachable[];
  /** Grows with each event that a channel may show. */
  version: number;
  /** The newest of those. */
  latest: { id: string; type: string };
};

const shownNotes = ['approval.commented', 'approval.closed'] as const;
const notes = [...shownNotes, 'notification.failed'] as const;

/** Nothing where nobody is asked, the stream has let go of it, or does not have it yet where it was read. */
export async function readTold(
  context: BusContext,
  trusted: Jwks,
  action: { agent: string; actionId: string },
  /** Whether the gateway is to say who the people are. */
  isPeopleWanted: (asked: readonly string[], failed: Told['failed']) => boolean,
): Promise<{ told: Told | null; seen: number }> {
  const [history = { events: [], forged: [] }] = await readHistories(context, [action], notes);
  // What nobody acts on counts as seen, too: it is not waited for.
  const seen = newest([...history.events, ...history.forged]);
  const events = history.events.map(({ event }) => event);
  const standing = standingOf(events);
  if (!standing) return { told: null, seen };
  const ended = endIn(events, trusted);
  const failed = events.filter(isOfType('notification.failed')).map(({ data }) => data);
  const inform = standing.needed.data.inform ?? [];
  const asked = ended ? inform.map(approverText) : askedNow(standing);
  const question = { ...action, ...(ended ? { informed: inform } : {}) };
  const shown = history.events.filter(({ event }) => event.type !== 'notification.failed');
  const latest = shown.toSorted((a, b) => a.seq - b.seq).at(-1)?.event ?? standing.needed;
  const told: Told = {
    ...action,
    needed: standing.needed.data,
    standing,
    comments: history.events.flatMap(({ seq, event }) =>
      event.type === 'approval.commented' ? [{ ...event.data, version: seq }] : [],
    ),
    reminded: history.events.flatMap(({ seq, event }) => (event.type === 'approval.reminded' ? [seq] : [])),
    failed,
    ended,
    asked,
    people:
      asked.length > 0 && isPeopleWanted(asked, ended ? [] : failed)
        ? await reachable(context, question)
        : [],
    version: newest(shown),
    latest: { id: latest.id, type: latest.type },
  };
  return { told, seen };
}

const newest = (stored: readonly { seq: number }[]) => Math.max(0, ...stored.map(({ seq }) => seq));

async function reachable(
  context: BusContext,
  { actionId: action_id, ...rest }: { agent: string; actionId: string; informed?: Approver[] },
): Promise<Reachable[]> {
  const question = { action_id, ...rest };
  try {
    return (await ask(context, requests.reachable, question, ReachableAnswer)).people;
  } catch (error) {
    // A gateway that is away is waited for, like a broker: no message dies of it.
    throw new Unavailable('the gateway does not say who can be told', { cause: error });
  }
}

/** This service holds no seal key. How it ended it believes only of who decides, by the proof. */
function endIn(events: readonly PlacetEvent[], trusted: Jwks): EventOf<'action.decided'>['data'] | null {
  const decided = events.find(isOfType('action.decided'));
  return decided && proofProblem(decided, trusted) === null ? decided.data : null;
}
