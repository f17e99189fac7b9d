import type { Approver, Demand } from './approvers.ts';
import { anyApprover, approverText, askedOf, audienceOf } from './approvers.ts';
import type { EventOf, PlacetEvent } from './envelope.ts';
import { peopleWanted } from './progress.ts';

/** How an approval stands while it is open. */
export type Standing = {
  needed: EventOf<'approval.needed'>;
  /** Whom it asks now: escalations have widened or replaced what was asked at first. */
  demands: Demand[];
  /** How many of its steps have been taken. */
  steps: number;
  /** All of this payload; of one person the last stands, as far as it still has a place. */
  votes: EventOf<'approval.voted'>[];
  /** To whom places were handed, by whose they are; the last stands. */
  handed: ReadonlyMap<string, EventOf<'approval.reassigned'>>;
  /** A change of the payload that the policy has not judged yet. */
  edited: EventOf<'approval.edited'> | null;
};

export function opened(needed: EventOf<'approval.needed'>): Standing {
  return { needed, demands: needed.data.demands, steps: 0, votes: [], handed: new Map(), edited: null };
}

/** What an event makes of an open approval. */
export function proceed(standing: Standing, event: PlacetEvent): Standing {
  switch (event.type) {
    case 'approval.needed':
      // Another payload is another question: nobody has voted on it, and nobody has handed it on.
      return opened(event);
    case 'approval.voted':
      return { ...standing, votes: [...standing.votes, event] };
    case 'approval.edited':
      return { ...standing, edited: event };
    case 'approval.reminded':
      return { ...standing, steps: event.data.step + 1 };
    case 'approval.escalated': {
      const demands = escalatedDemands(standing.demands, event.data);
      return { ...standing, demands, steps: event.data.step + 1 };
    }
    case 'approval.reassigned': {
      const { place } = event.data;
      const others = [...standing.handed].filter(([whose]) => whose !== place);
      return {
        ...standing,
        handed: new Map(isTakenBack(event.data) ? others : [...others, [place, event]]),
        votes: standing.votes.map((vote) => withoutPlace(vote, place)),
      };
    }
    default:
      return standing;
  }
}

/** Who hands the own place to themselves alone has it back, and is judged by what they are then. */
export function isTakenBack({
  by,
  place,
  approvers,
}: Pick<EventOf<'approval.reassigned'>['data'], 'by' | 'place' | 'approvers'>): boolean {
  const [to, ...others] = approvers;
  return by.id === place && others.length === 0 && to?.kind === 'user' && to.email === by.email;
}

/** How an action's approval stands at the end of what is known of it; null where nobody was asked. */
export function standingOf(events: Iterable<PlacetEvent>): Standing | null {
  let standing: Standing | null = null;
  for (const event of events) {
    if (standing) standing = proceed(standing, event);
    else if (event.type === 'approval.needed') standing = opened(event);
  }
  return standing;
}

/** What a vote still says when a place is no longer its voter's. It stays, for it has replaced the one before. */
function withoutPlace(vote: EventOf<'approval.voted'>, place: string): EventOf<'approval.voted'> {
  const { data } = vote;
  const eligible_as = data.eligible_as.map((as) =>
    as !== null && (as.in_place_of ?? data.voter.id) === place ? null : as,
  );
  return { ...vote, data: { ...data, eligible_as } };
}

type Escalation = { demand: number; approvers: Approver[]; replace?: boolean | undefined };

/** What is asked when others are to be asked for one of the demands. */
export function escalatedDemands(demands: Demand[], escalation: Escalation): Demand[] {
  return demands.map((one, n) => (n === escalation.demand ? escalated(one, escalation) : one));
}

/** Others are asked beside those who were, wherever in a group they stood, or instead of them. */
function escalated({ ways, ...demand }: Demand, { approvers: others, replace }: Escalation): Demand {
  // Of a group as many people are wanted still as it had places.
  if (replace) return { ...demand, approvers: others, quorum: peopleWanted({ ...demand, ways }) };
  const asked: Approver[] =
    demand.approvers.length > 0 ? demand.approvers : [{ kind: 'role', role: 'approver' }];
  const approvers = distinct([...asked, ...others], approverText);
  if (!ways) return { ...demand, approvers };
  const texts = others.map(approverText);
  const widened = ways.map((places) => places.map((place) => [...new Set([...place, ...texts])]));
  return { ...demand, approvers, ways: widened };
}

function distinct<T>(items: T[], keyOf: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

/** As what somebody is still asked, of what they were asked as before: others may have been asked instead. */
export function stillAsked({ approvers }: Demand, as: readonly string[] = []): string[] {
  const asked = approvers.length === 0 ? [anyApprover] : approvers.map(approverText);
  return as.filter((text) => asked.includes(text));
}

type Asked = Pick<Standing, 'demands' | 'handed'>;

/** Everybody who is asked now, in their own place or in one that was handed to them. */
export function askedNow(asked: Asked): string[] {
  return askedOf([...asked.demands, ...handedNow(asked)]);
}

/** Under which keys it is found by who can do something about it. */
export function audienceNow(asked: Asked): string[] {
  return audienceOf([...asked.demands, ...handedNow(asked)]);
}

/** Whose place ended because others were asked instead has nothing to hand on any more. */
function handedNow({ demands, handed }: Asked): { approvers: Approver[] }[] {
  return [...handed.values()]
    .filter(({ data }) => demands.some((demand, n) => stillAsked(demand, data.eligible_as[n]?.as).length > 0))
    .map(({ data }) => ({ approvers: data.approvers }));
}

/** When the clock has to look at it next. */
export function dueOf({ needed, steps }: Pick<Standing, 'needed' | 'steps'>): string {
  const { deadline, steps: all = [] } = needed.data;
  const next = all[steps]?.at;
  return next !== undefined && Date.parse(next) < Date.parse(deadline) ? next : deadline;
}
