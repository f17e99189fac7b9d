import { type EventOf, isMet, isRejected, type Standing, standingVotes, votedReason } from '@placet/events';
import { canonicalJson } from '@placet/proof';
import { type DecisionDraft, decider } from './ending.ts';

/** It travels with every answer. */
const reasonCharsMax = 8000;

type Voted = EventOf<'approval.voted'>;

/** What the votes decide, if anything. */
export function outcomeOf({ demands, votes: all }: Standing): DecisionDraft | null {
  const last = new Set(standingVotes(all.map(({ data }) => data)));
  const votes = all.filter(({ data }) => last.has(data));
  return rejected(demands, votes) ?? allowed(demands, votes);
}

function rejected(demands: Standing['demands'], votes: Voted[]): DecisionDraft | null {
  const said = votes.map(({ data }) => data);
  if (!demands.some((demand, position) => isRejected(demand, said, position))) return null;
  const against = votes.filter(({ data }) => data.vote === 'reject');
  // Of several ways to say no none was agreed on.
  const [choice, ...others] = new Set(against.map(({ data }) => data.choice));
  const deciders = against.map(decider);
  return {
    decision: 'denied',
    cause: 'votes',
    reason: commentsOf(against) ?? votedReason('denied', deciders),
    deciders,
    ...(choice === undefined || others.length > 0 ? {} : { choice }),
  };
}

/**
 * Allowed when each demand has as many different people as it wants, and the ones that it wants, who all choose and
 * answer the same: of two answers nobody could say which was agreed to.
 */
function allowed(demands: Standing['demands'], votes: Voted[]): DecisionDraft | null {
  const approvals = votes.filter(({ data }) => data.vote === 'approve');
  for (const agreed of Map.groupBy(approvals, agreementOf).values()) {
    // Of a place that several share the last word counts, and it may be a rejection.
    const heard = votes.filter((vote) => vote.data.vote === 'reject' || agreed.includes(vote));
    const said = heard.map((vote) => vote.data);
    if (!demands.every((demand, position) => isMet(demand, said, position))) continue;
    const data = agreed.map((vote) => vote.data);
    const { choice, answer } = data[0] ?? {};
    const deciders = agreed.map(decider);
    return {
      decision: 'allowed',
      cause: 'votes',
      reason: commentsOf(agreed) ?? votedReason('allowed', deciders),
      deciders,
      ...(choice === undefined ? {} : { choice }),
      ...(answer === undefined ? {} : { answer }),
    };
  }
  return null;
}

function agreementOf({ data: { choice, answer } }: Voted): string {
  return canonicalJson([choice ?? null, answer === undefined ? [] : [answer]]);
}

function commentsOf(votes: Voted[]): string | null {
  const comments = votes.flatMap(({ data }) => data.comment ?? []);
  const text = comments.join(' / ');
  return text === '' ? null : text.length <= reasonCharsMax ? text : `${text.slice(0, reasonCharsMax)}…`;
}
