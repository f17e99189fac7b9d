import type { EventData, EventOf, Standing } from '@placet/events';
import type { ErrorCode } from '@placet/runtime';
import type { ActionState } from './state.ts';

export type DecisionDraft = {
  reason: string;
  deciders: string[];
  choice?: string;
  answer?: unknown;
} & (
  | { decision: 'allowed'; cause: 'votes' | 'timeout' }
  | {
      decision: 'denied';
      cause: 'votes' | 'timeout' | 'withdrawn' | 'cancelled' | 'evaluation_failed' | 'forged';
    }
);

/** The events of an open approval, each with a number of its own. */
export type Numbered =
  | 'approval.voted'
  | 'approval.edited'
  | 'approval.reminded'
  | 'approval.escalated'
  | 'approval.reassigned';

export type Draft =
  | { [T in Numbered]: { type: T; data: EventData<T> } }[Numbered]
  | { type: 'action.decided'; draft: DecisionDraft };

export type Ruling =
  | { ruling: 'append'; draft: Draft }
  /** Nothing is left to be done: the command has had its effect, or the state owes nothing. */
  | { ruling: 'settled' }
  | { ruling: 'refused'; code: ErrorCode; message?: string; details?: Refused };
type Refused = Record<string, unknown> | { path: string; message: string }[];

export const settled: Ruling = { ruling: 'settled' };

export function append(draft: Draft): Ruling {
  return { ruling: 'append', draft };
}

export function conclude(draft: DecisionDraft): Ruling {
  return append({ type: 'action.decided', draft });
}

export function refuse(code: ErrorCode, message?: string, details?: Refused): Ruling {
  return {
    ruling: 'refused',
    code,
    ...(message === undefined ? {} : { message }),
    ...(details === undefined ? {} : { details }),
  };
}

export function deny(
  cause: Extract<DecisionDraft, { decision: 'denied' }>['cause'],
  reason: string,
  deciders: string[] = ['decisions'],
): Ruling {
  return conclude({ decision: 'denied', cause, reason, deciders });
}

type Ending = { cause: 'withdrawn' | 'cancelled'; reason: string; deciders: string[] };

/** Ended by who does not vote: the agent that asked, or an administrator. */
export function ended(state: ActionState, { cause, reason, deciders }: Ending): Ruling {
  switch (state.status) {
    case 'unknown':
      return refuse('ACTION_NOT_FOUND');
    case 'decided':
      return state.decided.data.cause === cause ? settled : refuse('ALREADY_DECIDED');
    case 'requested':
    case 'held':
      return deny(cause, reason, deciders);
    default:
      return state satisfies never;
  }
}

export function isOver({ needed }: Standing, now: Date): boolean {
  return now.getTime() >= Date.parse(needed.data.deadline);
}

/** Allowed only where the policy has written it out, and of the payload that it has written it for. */
export function timedOut({ needed, edited }: Standing): Ruling {
  const { deadline, on_timeout } = needed.data;
  const reason = `Nobody decided before ${deadline}.`;
  const deciders = ['timeout'];
  if (on_timeout === 'deny' || edited !== null) return deny('timeout', reason, deciders);
  return conclude({
    decision: 'allowed',
    cause: 'timeout',
    reason: `${reason} The policy allows it then.`,
    deciders,
  });
}

/** What every event of an action repeats, and its place among those of its type. */
export function ofAction(
  { needed }: Standing,
  numbers: Partial<Record<string, number>>,
  type: Numbered,
): { action_id: string; agent: string; number: number; case?: string } {
  const { action_id, agent, case: ofCase } = needed.data;
  const number = (numbers[type] ?? 0) + 1;
  return { action_id, agent, number, ...(ofCase === undefined ? {} : { case: ofCase }) };
}

export function decider({ data }: EventOf<'approval.voted'>): string {
  return `person:${data.voter.email}`;
}
