import type { EventData } from './catalogue.ts';

type Vote = Pick<EventData<'approval.voted'>, 'voter' | 'vote' | 'eligible_as'>;

/** A person's later vote replaces the earlier one. In the order in which people voted first. */
export function standingVotes<V extends Vote>(votes: readonly V[]): V[] {
  return [...new Map(votes.map((vote) => [vote.voter.id, vote])).values()];
}

/** How many different people approve of what the demand at this place asks for. */
export function approvalsOf(votes: readonly Vote[], index: number): number {
  return standingVotes(votes).filter(
    ({ vote, eligible_as }) => vote === 'approve' && eligible_as[index] != null,
  ).length;
}
