import type { Demand } from './approvers.ts';
import type { EventData } from './catalogue.ts';

type Vote = Pick<EventData<'approval.voted'>, 'voter' | 'vote' | 'eligible_as'>;
type Said = Vote & Pick<EventData<'approval.voted'>, 'choice' | 'answer'>;

/**
 * A person's later vote replaces the earlier one, also when its own place is gone by now. In the order in which they
 * were cast.
 */
export function standingVotes<V extends Vote>(votes: readonly V[]): V[] {
  const last = lastOf(votes, ({ voter }) => voter.id);
  return last.filter(({ eligible_as }) => eligible_as.some((as) => as !== null));
}

function lastOf<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const last = new Map(items.map((item) => [keyOf(item), item]));
  return items.filter((item) => last.get(keyOf(item)) === item);
}

/** A place that somebody has taken, and as whom. */
type Taken = { place: string; as: readonly string[] };

/** The places that were taken of the demand at this position, each once, by those who voted like this. */
function takenBy(votes: readonly Vote[], kind: Vote['vote'], position: number): Taken[] {
  const cast = votes.flatMap(({ vote, voter, eligible_as }) => {
    const eligible = eligible_as[position];
    return eligible ? [{ place: eligible.in_place_of ?? voter.id, as: eligible.as, vote }] : [];
  });
  return lastOf(cast, ({ place }) => place).filter(({ vote }) => vote === kind);
}

/** How many different people a demand needs at the least. */
export function peopleWanted({ quorum, ways = [] }: Pick<Demand, 'quorum' | 'ways'>): number {
  const places = ways.length === 0 ? 0 : Math.min(...ways.map((way) => way.length));
  return Math.max(quorum, places);
}

/** How many of the people whom the demand wants approve: those who choose and answer the same, each in one place. */
export function approvalsOf(demand: Pick<Demand, 'ways'>, votes: readonly Said[], position: number): number {
  const standing = standingVotes(votes);
  const agreements = Map.groupBy(
    standing.filter(({ vote }) => vote === 'approve'),
    ({ choice, answer }) => JSON.stringify([choice, answer]),
  );
  const counts = [...agreements.values()].map((agreed) => {
    const heard = standing.filter((vote) => vote.vote === 'reject' || agreed.includes(vote));
    const taken = takenBy(heard, 'approve', position);
    return Math.max(...(demand.ways ?? [null]).map((way) => (way ? placesFilled(way, taken) : taken.length)));
  });
  return Math.max(0, ...counts);
}

/** Whether those who approve are enough, and the ones that it wants. */
export function isMet(demand: Demand, votes: readonly Vote[], position: number): boolean {
  const taken = takenBy(standingVotes(votes), 'approve', position);
  if (taken.length < demand.quorum) return false;
  return demand.ways === undefined || demand.ways.some((way) => placesFilled(way, taken) === way.length);
}

/** Whether those who reject are enough to end it. */
export function isRejected(demand: Demand, votes: readonly Vote[], position: number): boolean {
  const taken = takenBy(standingVotes(votes), 'reject', position).length;
  return demand.reject === 'majority' ? taken > peopleWanted(demand) / 2 : taken > 0;
}

/** How many places can be given each to another of those who are there: a matching, found by augmenting paths. */
function placesFilled(places: readonly (readonly string[])[], people: readonly Taken[]): number {
  const fits = places.map((place) =>
    people.flatMap(({ as }, n) => (as.some((text) => place.includes(text)) ? [n] : [])),
  );
  const placeOf = new Map<number, number>();
  const give = (place: number, asked: Set<number>): boolean => {
    for (const person of fits[place] ?? []) {
      if (asked.has(person)) continue;
      asked.add(person);
      const other = placeOf.get(person);
      if (other !== undefined && !give(other, asked)) continue;
      placeOf.set(person, place);
      return true;
    }
    return false;
  };
  return places.filter((_, place) => give(place, new Set())).length;
}
