import { isDeepStrictEqual } from 'node:util';
import {
  answerProblems,
  type EventData,
  type EventOf,
  eligibilityOf,
  isEligible,
  type VoteQuestion,
  whyNot,
} from '@placet/events';
import { beforehand, rejectionsMax, tooLate } from './asking.ts';
import { append, ofAction, type Ruling, refuse, settled } from './ending.ts';
import type { ActionState, Command, Held } from './state.ts';

const answerCharsMax = 16_000;
const answerTooLong = `An answer is at most ${answerCharsMax} characters of JSON; say where the rest is.`;

/** A click that came with its own time is by another clock, which tells whole seconds. */
const clicksDifferMs = 5000;
const overtaken = 'You have said something else since you clicked that, or it was changed since.';

type Vote = Extract<Command, { kind: 'vote' }>;
type Needed = EventData<'approval.needed'>;
type Said = Pick<EventData<'approval.voted'>, 'vote' | 'choice' | 'answer'>;

export function voted(command: Vote, state: ActionState): Ruling {
  const { question } = command;
  if (state.status === 'decided') {
    const votes = state.standing?.votes ?? [];
    return votes.some((vote) => isRepeat(vote, command)) ? settled : tooLate(command, state);
  }
  const bound = question.vote === 'reject' || isRefusing(question, state) ? rejectionsMax : undefined;
  const open = beforehand({ ...command, ...(bound === undefined ? {} : { bound }) }, state);
  return 'ruling' in open ? open.ruling : castVote(command, open.held);
}

/** Whether it takes a choice that means a denial. */
function isRefusing({ choice }: VoteQuestion, state: ActionState): boolean {
  const choices = state.status === 'held' ? (state.standing.needed.data.choices ?? []) : [];
  return choices.some(({ name, means }) => name === choice && means === 'deny');
}

/** Asked as a question of its own, it says nothing new. */
function isRepeat({ data }: EventOf<'approval.voted'>, { question }: Vote): boolean {
  const isSame =
    question.choice === undefined ? data.vote === question.vote : data.choice === question.choice;
  return data.voter.id === question.voter.id && isSame && isDeepStrictEqual(data.answer, question.answer);
}

function castVote({ question, request }: Vote, { standing, numbers }: Held): Ruling {
  const { voter, comment, channel } = question;
  const needed = standing.needed.data;
  const eligible_as = eligibilityOf(standing, voter);
  if (!isEligible(eligible_as)) return refuse('NOT_ELIGIBLE', whyNot(standing, voter) ?? undefined);
  // What was changed has to have been seen as it is.
  if (needed.revision > 1 && question.payload_digest === undefined) {
    const { payload_digest, revision } = needed;
    return refuse('STALE_PAYLOAD', undefined, { payload_digest, revision });
  }
  const said = saidBy(question, needed);
  if ('ruling' in said) return said;
  if (comment === undefined && isReasonWanted(needed.require_reason, said.vote)) {
    return refuse('REASON_REQUIRED');
  }
  // Who may vote for more than before votes anew; otherwise the same again says nothing new.
  const last = standing.votes.findLast(({ data }) => data.voter.id === voter.id);
  const earlier = last?.data;
  if (earlier && isSameVote(earlier, said) && isDeepStrictEqual(earlier.eligible_as, eligible_as))
    return settled;
  const newest = last ?? (needed.revision > 1 ? standing.needed : undefined);
  if (newest && isOvertaken(question, newest.time)) return refuse('REVISION_CONFLICT', overtaken);
  const { roles: _, ...who } = voter;
  const type = 'approval.voted';
  return append({
    type,
    data: {
      ...ofAction(standing, numbers, type),
      request,
      ...said,
      ...(comment === undefined ? {} : { comment }),
      voter: who,
      eligible_as,
      channel,
      payload_digest: needed.payload_digest,
    },
  });
}

/** Somebody kept a click, and lets it come after what was said since. */
function isOvertaken({ clicked_at }: VoteQuestion, time: string): boolean {
  return clicked_at !== undefined && Date.parse(clicked_at) + clicksDifferMs < Date.parse(time);
}

function isSameVote(one: Said, other: Said): boolean {
  return (
    one.vote === other.vote && one.choice === other.choice && isDeepStrictEqual(one.answer, other.answer)
  );
}

/** What a vote says, if it says what was asked. */
function saidBy({ vote, choice, answer }: VoteQuestion, needed: Needed): Said | Ruling {
  const { choices, answer_schema } = needed;
  const chosen = choices?.find(({ name }) => name === choice);
  if (choices && !chosen) return refuse('CHOICE_REQUIRED', undefined, { choices });
  if (!choices && choice !== undefined) {
    return refuse('VALIDATION_ERROR', undefined, [
      { path: 'choice', message: 'this approval has no choices: send vote' },
    ]);
  }
  const meant = chosen ? (chosen.means === 'allow' ? 'approve' : 'reject') : vote;
  if (meant === undefined) {
    return refuse('VALIDATION_ERROR', undefined, [{ path: 'vote', message: 'must be approve or reject' }]);
  }
  const named = choice === undefined ? {} : { choice };
  const isWanted = answer_schema !== undefined && meant === 'approve';
  if (!isWanted) {
    if (answer === undefined) return { vote: meant, ...named };
    const message =
      answer_schema === undefined ? 'this approval asks no question' : 'a rejection has no answer';
    return refuse('VALIDATION_ERROR', undefined, [{ path: 'answer', message }]);
  }
  if (JSON.stringify(answer ?? null).length > answerCharsMax) return refuse('BODY_TOO_LARGE', answerTooLong);
  const problems = answerProblems(answer_schema, answer);
  if (problems.length > 0) return refuse('ANSWER_REQUIRED', undefined, problems);
  return { vote: meant, ...named, answer };
}

function isReasonWanted(wanted: Needed['require_reason'], vote: string): boolean {
  return wanted === 'always' || (wanted === 'on_reject' && vote === 'reject');
}
