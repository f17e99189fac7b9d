import { isDeepStrictEqual } from 'node:util';
import type { Demand, EventData, EventOf, PlacetEvent, VoteQuestion, Voter } from '@placet/events';
import { approvalsOf, standingVotes } from '@placet/events';
import type { ErrorCode } from '@placet/runtime';
import { eligibility } from './eligibility.ts';

/**
 * The life of an action as this service sees it. Pure: the clock and the facts are arguments, and events come out.
 */
export type ActionState =
  | { status: 'unknown' }
  | { status: 'requested'; request: EventOf<'action.requested'> }
  | { status: 'held'; needed: EventOf<'approval.needed'>; votes: EventOf<'approval.voted'>[] }
  | {
      status: 'decided';
      decided: EventOf<'action.decided'>;
      /** Null where nobody was asked. */
      needed: EventOf<'approval.needed'> | null;
      votes: EventOf<'approval.voted'>[];
    };

export type Command =
  | { kind: 'vote'; question: VoteQuestion; request: string; now: Date }
  | { kind: 'withdraw' }
  | { kind: 'cancel'; by: Voter; reason: string }
  /** The clock: a deadline, or a request that has waited too long for its verdict. */
  | { kind: 'look'; now: Date; sweepAfterMs: number }
  /** The action's history holds what we did not write. */
  | { kind: 'forged' };

export type DecisionDraft = {
  reason: string;
  deciders: string[];
} & (
  | { decision: 'allowed'; cause: 'votes' | 'timeout' }
  | {
      decision: 'denied';
      cause: 'votes' | 'timeout' | 'withdrawn' | 'cancelled' | 'evaluation_failed' | 'forged';
    }
);

export type Draft =
  | { type: 'approval.voted'; data: EventData<'approval.voted'> }
  | { type: 'action.decided'; draft: DecisionDraft };

export type Ruling =
  | { ruling: 'append'; draft: Draft }
  /** Nothing is left to be done: the command has had its effect, or the state owes nothing. */
  | { ruling: 'settled' }
  | { ruling: 'refused'; code: ErrorCode; message?: string };

const nothing: Ruling = { ruling: 'settled' };

export function evolve(state: ActionState, event: PlacetEvent): ActionState {
  switch (event.type) {
    case 'action.requested':
      return state.status === 'unknown' ? { status: 'requested', request: event } : state;
    case 'approval.needed':
      return state.status === 'decided' ? state : { status: 'held', needed: event, votes: [] };
    case 'approval.voted':
      return state.status === 'held' ? { ...state, votes: [...state.votes, event] } : state;
    case 'action.decided':
      return state.status === 'held'
        ? { status: 'decided', decided: event, needed: state.needed, votes: state.votes }
        : { status: 'decided', decided: event, needed: null, votes: [] };
    default:
      return state;
  }
}

export function stateOf(events: PlacetEvent[]): ActionState {
  return events.reduce(evolve, { status: 'unknown' });
}

/** One step. The caller stores it at the version that it has read, and asks again until everything is settled. */
export function decide(command: Command, state: ActionState): Ruling {
  switch (command.kind) {
    case 'vote':
      return voted(command, state);
    case 'withdraw':
      return ended(state, { cause: 'withdrawn', ...byTheAgent });
    case 'cancel':
      return ended(state, { cause: 'cancelled', ...byPerson(command) });
    case 'look':
      return looked(command, state);
    case 'forged':
      // A request that is forged itself was never accepted: there is nothing to decide, and nobody is allowed.
      if (state.status === 'unknown' || state.status === 'decided') return nothing;
      return deny('forged', forgedReason);
    default:
      return command satisfies never;
  }
}

const noApproval = 'There is no approval with this id.';
const forgedReason = 'The history of this action holds an event that Placet did not write.';

function voted({ question, request, now }: Extract<Command, { kind: 'vote' }>, state: ActionState): Ruling {
  const isRepeat = (vote: EventOf<'approval.voted'>) =>
    vote.data.request === request ||
    (vote.data.voter.id === question.voter.id && vote.data.vote === question.vote);
  switch (state.status) {
    case 'unknown':
      return { ruling: 'refused', code: 'NOT_FOUND', message: noApproval };
    case 'requested':
      return { ruling: 'refused', code: 'NOT_DECIDED', message: 'The policy has not asked for people yet.' };
    case 'decided':
      return state.votes.some(isRepeat) ? nothing : tooLate(question, state);
    case 'held': {
      const { needed, votes } = state;
      const owed = outcomeOf(needed, votes);
      if (owed) return { ruling: 'append', draft: { type: 'action.decided', draft: owed } };
      if (votes.some(({ data }) => data.request === request)) return nothing;
      // The clock may not have come round yet, but a time that has passed has passed.
      if (isOver(needed, now)) return timedOut(needed);
      return castVote(question, request, needed, votes);
    }
    default:
      return state satisfies never;
  }
}

/** How it ended is told to those who were asked, and to nobody else. */
function tooLate({ voter }: VoteQuestion, { needed }: Extract<ActionState, { status: 'decided' }>): Ruling {
  if (!needed) return { ruling: 'refused', code: 'NOT_FOUND', message: noApproval };
  return { ruling: 'refused', code: isAsked(needed, voter) ? 'ALREADY_DECIDED' : 'NOT_ELIGIBLE' };
}

function isAsked({ data }: EventOf<'approval.needed'>, voter: VoteQuestion['voter']): boolean {
  return data.demands.some((demand) => eligibility(demand, voter, data) !== null);
}

function castVote(
  question: VoteQuestion,
  request: string,
  { data: needed }: EventOf<'approval.needed'>,
  votes: EventOf<'approval.voted'>[],
): Ruling {
  const { voter, vote, comment, payload_digest, channel } = question;
  const eligible_as = needed.demands.map((demand) => eligibility(demand, voter, needed));
  if (eligible_as.every((as) => as === null)) {
    return { ruling: 'refused', code: 'NOT_ELIGIBLE' };
  }
  if (payload_digest !== undefined && payload_digest !== needed.payload_digest) {
    return { ruling: 'refused', code: 'STALE_PAYLOAD' };
  }
  if (comment === undefined && isReasonWanted(needed.require_reason, vote)) {
    return { ruling: 'refused', code: 'REASON_REQUIRED' };
  }
  // Who may vote for more than before votes anew; otherwise the same again says nothing new.
  const earlier = votes.findLast(({ data }) => data.voter.id === voter.id)?.data;
  if (earlier?.vote === vote && isDeepStrictEqual(earlier.eligible_as, eligible_as)) return nothing;
  const { roles: _, ...who } = voter;
  const data: EventData<'approval.voted'> = {
    action_id: needed.action_id,
    agent: needed.agent,
    number: votes.length + 1,
    request,
    vote,
    ...(comment === undefined ? {} : { comment }),
    voter: who,
    eligible_as,
    channel,
    payload_digest: needed.payload_digest,
    ...(needed.case === undefined ? {} : { case: needed.case }),
  };
  return { ruling: 'append', draft: { type: 'approval.voted', data } };
}

type Ending = { cause: 'withdrawn' | 'cancelled'; reason: string; deciders: string[] };

const byTheAgent = { reason: 'The agent withdrew its request.', deciders: ['agent'] };
const byPerson = ({ by, reason }: { by: Voter; reason: string }) => ({
  reason: `Cancelled by ${by.email}: ${reason}`,
  deciders: [`person:${by.email}`],
});

/** Ended by who does not vote: the agent that asked, or an administrator. */
function ended(state: ActionState, { cause, reason, deciders }: Ending): Ruling {
  switch (state.status) {
    case 'unknown':
      return { ruling: 'refused', code: 'ACTION_NOT_FOUND' };
    case 'decided':
      return state.decided.data.cause === cause ? nothing : { ruling: 'refused', code: 'ALREADY_DECIDED' };
    case 'requested':
    case 'held':
      return deny(cause, reason, deciders);
    default:
      return state satisfies never;
  }
}

function looked({ now, sweepAfterMs }: Extract<Command, { kind: 'look' }>, state: ActionState): Ruling {
  switch (state.status) {
    case 'unknown':
    case 'decided':
      return nothing;
    case 'requested': {
      const waited = now.getTime() - Date.parse(state.request.time);
      const reason =
        'The policy gave no verdict in time, so the action is denied. Ask again under a new key.';
      return waited >= sweepAfterMs ? deny('evaluation_failed', reason) : nothing;
    }
    case 'held': {
      const owed = outcomeOf(state.needed, state.votes);
      if (owed) return { ruling: 'append', draft: { type: 'action.decided', draft: owed } };
      return isOver(state.needed, now) ? timedOut(state.needed) : nothing;
    }
    default:
      return state satisfies never;
  }
}

function isOver({ data }: EventOf<'approval.needed'>, now: Date): boolean {
  return now.getTime() >= Date.parse(data.deadline);
}

/** Allowed only where the policy has written it out. */
function timedOut({ data }: EventOf<'approval.needed'>): Ruling {
  const reason = `Nobody decided before ${data.deadline}.`;
  const deciders = ['timeout'];
  if (data.on_timeout === 'deny') return deny('timeout', reason, deciders);
  const draft: DecisionDraft = {
    decision: 'allowed',
    cause: 'timeout',
    reason: `${reason} The policy allows it then.`,
    deciders,
  };
  return { ruling: 'append', draft: { type: 'action.decided', draft } };
}

function deny(
  cause: Extract<DecisionDraft, { decision: 'denied' }>['cause'],
  reason: string,
  deciders: string[] = ['decisions'],
): Ruling {
  const draft: DecisionDraft = { decision: 'denied', cause, reason, deciders };
  return { ruling: 'append', draft: { type: 'action.decided', draft } };
}

/** One rejection ends it; it is allowed when each demand has as many different people as it wants. */
export function outcomeOf(
  { data: needed }: EventOf<'approval.needed'>,
  all: EventOf<'approval.voted'>[],
): DecisionDraft | null {
  const standing = new Set(standingVotes(all.map(({ data }) => data)));
  const votes = all.filter(({ data }) => standing.has(data));
  const rejection = votes.find(({ data }) => data.vote === 'reject');
  if (rejection) {
    return {
      decision: 'denied',
      cause: 'votes',
      reason: rejection.data.comment ?? `Rejected by ${rejection.data.voter.email}.`,
      deciders: [decider(rejection)],
    };
  }
  const isMet = (demand: Demand, index: number) =>
    approvalsOf(
      votes.map(({ data }) => data),
      index,
    ) >= demand.quorum;
  if (!needed.demands.every(isMet)) return null;
  const comments = votes.flatMap(({ data }) => data.comment ?? []);
  const names = votes.map(({ data }) => data.voter.email).join(', ');
  return {
    decision: 'allowed',
    cause: 'votes',
    reason: comments.length > 0 ? comments.join(' / ') : `Approved by ${names}.`,
    deciders: votes.map(decider),
  };
}

const decider = ({ data }: EventOf<'approval.voted'>) => `person:${data.voter.email}`;

function isReasonWanted(wanted: EventData<'approval.needed'>['require_reason'], vote: string): boolean {
  return wanted === 'always' || (wanted === 'on_reject' && vote === 'reject');
}
