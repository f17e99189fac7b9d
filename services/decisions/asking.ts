import type { VoteQuestion } from '@placet/events';
import { owed } from './clock.ts';
import { eligibilityOf, isEligible } from './eligibility.ts';
import { type Ruling, refuse, settled } from './ending.ts';
import type { ActionState, Held } from './state.ts';

/** What a person asks for, whatever it is. */
type Asked = {
  question: Pick<VoteQuestion, 'voter' | 'payload_digest'>;
  now: Date;
  /** Whether this very question has had its effect before: an answer that got lost is asked for again. */
  isDone: (held: Held) => boolean;
};

/** So many votes, edits and reassignments an approval can take: nobody can make its history endless. */
const stepsMax = 200;
/** Each holds the whole payload. */
export const editsMax = 20;

const noApproval = 'There is no approval with this id.';

/** What has to be said before a person's wish is looked at; null where there is nothing in its way. */
export function beforehand(
  { question, now, isDone }: Asked,
  state: Exclude<ActionState, { status: 'decided' }>,
): { ruling: Ruling } | { held: Held } {
  switch (state.status) {
    case 'unknown':
      return { ruling: refuse('NOT_FOUND', noApproval) };
    case 'requested':
      return { ruling: refuse('NOT_DECIDED', 'The policy has not asked for people yet.') };
    case 'held': {
      const first = owed(state, now);
      if (first) return { ruling: first };
      if (isDone(state)) return { ruling: settled };
      const { standing, numbers } = state;
      if (standing.edited !== null) return { ruling: refuse('BEING_JUDGED') };
      const stale = staleness(question, state);
      if (stale) return { ruling: stale };
      const steps = Object.values(numbers).reduce((sum, one) => sum + one, 0);
      return steps >= stepsMax ? { ruling: refuse('TOO_MANY_STEPS') } : { held: state };
    }
    default:
      return state satisfies never;
  }
}

/** Whoever is not asked learns nothing of what is. */
function staleness({ voter, payload_digest }: Asked['question'], { standing }: Held): Ruling | null {
  const { payload_digest: current, revision } = standing.needed.data;
  if (payload_digest === undefined || payload_digest === current) return null;
  if (!isEligible(eligibilityOf(standing, voter))) return refuse('NOT_ELIGIBLE');
  return refuse('STALE_PAYLOAD', undefined, { payload_digest: current, revision });
}

/** How it ended is told to those who were asked, and to nobody else. */
export function tooLate(
  { voter }: Asked['question'],
  { standing }: Extract<ActionState, { status: 'decided' }>,
): Ruling {
  if (!standing) return refuse('NOT_FOUND', noApproval);
  return refuse(isEligible(eligibilityOf(standing, voter)) ? 'ALREADY_DECIDED' : 'NOT_ELIGIBLE');
}
