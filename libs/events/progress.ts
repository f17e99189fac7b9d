import type { Demand } from './approvers.ts';
import type { EventData } from './catalogue.ts';

type Vote = Pick<EventData<'approval.voted'>, 'voter' | 'vote' | 'eligible_as'>;

/** A person's later vote replaces the earlier one. In the order in which people voted first. */
export function standingVotes<V extends Vote>(votes: readonly V[]): V[] {
  return [...new Map(votes.map((vote) => [vote.voter.id, vote])).values()];
}

/** A place that somebody has taken, and as whom. */
type Taken = { place: string; as: readonly string[] };

/** The places that were taken of the demand at this position, each once, by those who voted like this. */
function takenBy(votes: readonly Vote[], kind: Vote['vote'], position: number): Taken[] {
  const taken = votes.flatMap(({ vote, voter, eligible_as }) => {
    const eligible = eligible_as[position];
    return vote === kind && eligible ? [{ place: eligible.in_place_of ?? voter.id, as: eligible.as }] : [];
  });
  return [...new Map(taken.map((one) => [one.place, one])).values()];
}

/** How many different people a demand needs at the least. */
export function peopleWanted({ quorum, ways = [] }: Pick<Demand, 'quorum' | 'ways'>): number {
  const places = ways.length === 0 ? 0 : Math.min(...ways.map((way) => way.length));
  return Math.max(quorum, places);
}

/** How many different people approve of what the demand at this position asks for. */
export function approvalsOf(votes: readonly Vote[], position: number): number {
  return takenBy(standingVotes(votes), 'approve', position).length;
}

/** Whether those who approve are enough, and the ones that it wants. */
export function isMet(demand: Demand, votes: readonly Vote[], position: number): boolean {
  const taken = takenBy(standingVotes(votes), 'approve', position);
  if (taken.length < demand.quorum) return false;
  return demand.ways === undefined || demand.ways.some((way) => areFilled(way, taken));
}

/** Whether those who reject are enough to end it. */
export function isRejected(demand: Demand, votes: readonly Vote[], position: number): boolean {
  const taken = takenBy(standingVotes(votes), 'reject', position).length;
  return demand.reject === 'majority' ? taken > peopleWanted(demand) / 2 : taken > 0;
}

/** Whether each place can be given to another of those who are there: a matching, found by augmenting paths. */
function areFilled(places: readonly (readonly string[])[], people: readonly Taken[]): boolean {
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
  return places.every((_, place) => give(place, new Set()));
}
