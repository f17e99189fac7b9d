import {
  eligibilityOf,
  isEligible,
  ownEligibilityOf,
  placesText,
  type Standing,
  type VoteChannel,
  type VoteQuestion,
  whyNot,
} from '@placet/events';
import { owed } from './clock.ts';
import { type Ruling, refuse, settled } from './ending.ts';
import type { ActionState, Held } from './state.ts';

type Person = VoteQuestion['voter'];

/** What a person asks for, whatever it is. */
type Asked = {
  question: Pick<VoteQuestion, 'voter' | 'payload_digest' | 'channel'>;
  request: string;
  now: Date;
  bound?: number;
};

/** So often one person can vote, change and hand on: nobody can make a history endless, nor keep others out by it. */
const actsMax = 20;
/** Each holds the whole payload. */
export const editsMax = 20;

/** Who has done too much can still say no. */
export const rejectionsMax = 2 * actsMax;

const noApproval = 'There is no approval with this id.';

/** What has to be said before a person's wish is looked at; null where there is nothing in its way. */
export function beforehand(
  { question, request, now, bound = actsMax }: Asked,
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
      if (state.done.has(request)) return { ruling: settled };
      const { standing } = state;
      // Whoever is not asked learns nothing of what is.
      if (!takesPart(standing, question.voter)) return { ruling: notEligible(standing, question.voter) };
      const { only_in } = standing.needed.data;
      if (only_in && !only_in.includes(question.channel))
        return { ruling: refuse('WRONG_CHANNEL', wrongChannel(only_in), { only_in }) };
      if (standing.edited !== null) return { ruling: refuse('BEING_JUDGED') };
      const { payload_digest: current, revision } = standing.needed.data;
      const { payload_digest: seen } = question;
      if (seen !== undefined && seen !== current) {
        return { ruling: refuse('STALE_PAYLOAD', undefined, { payload_digest: current, revision }) };
      }
      return (state.acts.get(question.voter.id) ?? 0) < bound
        ? { held: state }
        : { ruling: refuse('TOO_MANY_STEPS') };
    }
    default:
      return state satisfies never;
  }
}

const wrongChannel = (channels: VoteChannel[]) =>
  `The policy wants this to be decided ${placesText(channels)}.`;

/** In a place of their own, though it was handed on, or in another's. */
function takesPart(standing: Standing, person: Person): boolean {
  return isEligible(eligibilityOf(standing, person)) || isEligible(ownEligibilityOf(standing, person));
}

function notEligible(standing: Standing, person: Person): Ruling {
  return refuse('NOT_ELIGIBLE', whyNot(standing, person) ?? undefined);
}

/** How it ended is told to those who were asked, and to nobody else; what was done in time was in time. */
export function tooLate(
  { question: { voter }, request }: Pick<Asked, 'question' | 'request'>,
  { standing, done }: Extract<ActionState, { status: 'decided' }>,
): Ruling {
  if (done.has(request)) return settled;
  if (!standing) return refuse('NOT_FOUND', noApproval);
  return takesPart(standing, voter) ? refuse('ALREADY_DECIDED') : notEligible(standing, voter);
}
