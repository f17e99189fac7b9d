import {
  type AnswerSchema,
  ApprovalView,
  CommentAnswer,
  EditAnswer,
  type Person,
  requests,
  VoteAnswer,
  type VoteChannel,
} from '@placet/events';
import { ask, type BusContext, Refusal, sleep } from '@placet/runtime';
import { audienceOf, voterOf } from '../accounts/audience.ts';
import { Comment } from '../checks/comment.ts';
import { knownForm } from '../checks/known-form.ts';

import { answerIn, type Form } from './answer.ts';
import { changesIn } from './forms.ts';

/** What was done, as the page says it afterwards. */
export const done = {
  voted: 'Your vote is counted.',
  decided: 'Your vote is counted, and it is decided.',
  edited: 'Your change is proposed. Look at it as it is now.',
  commented: 'Your comment is there for whoever sees this.',
} as const;
export type Done = keyof typeof done;

const judgedWithinMs = 1500;
const lookEveryMs = 50;

type Actor = { person: Person; channel: VoteChannel };
export type Acts = ReturnType<typeof createActs>;

/** What people do on a page. Who they are comes from their session or link alone. */
export function createActs(context: BusContext) {
  function seen(id: string, person: Person): Promise<ApprovalView> {
    const action_id = knownForm(id, 'NOT_FOUND');
    return ask(
      context,
      requests.approval,
      { action_id, audience: audienceOf(person), by: voterOf(person) },
      ApprovalView,
    );
  }

  /** Until the policy has judged a change, what is shown is what was there before; it takes a moment. */
  async function judged(id: string, person: Person, digest: string): Promise<void> {
    for (const deadline = Date.now() + judgedWithinMs; Date.now() < deadline; await sleep(lookEveryMs)) {
      const { status, payload_digest } = await seen(id, person);
      if (status !== 'pending' || payload_digest === digest) return;
    }
  }

  const acts: Record<
    'votes' | 'edits' | 'comments',
    (view: ApprovalView, actor: Actor, form: Form) => Promise<Done>
  > = {
    async votes(view, actor, form) {
      const question = { ...aboutIt(view, actor, form), ...saidIn(view, form) };
      const { decision } = await ask(context, requests.vote, question, VoteAnswer);
      return decision === 'pending' ? 'voted' : 'decided';
    },

    async edits(view, actor, form) {
      const changes = changesIn(view, form);
      if (Object.keys(changes).length === 0) {
        throw new Refusal('VALIDATION_ERROR', { message: 'Nothing is written otherwise than it stands.' });
      }
      const question = { ...aboutIt(view, actor, form), changes };
      const { payload_digest } = await ask(context, requests.edit, question, EditAnswer);
      await judged(view.id, actor.person, payload_digest);
      return 'edited';
    },

    async comments(view, { person, channel }, form) {
      const { comment } = commentIn(form);
      if (comment === undefined) throw new Refusal('VALIDATION_ERROR', { message: 'Write something first.' });
      const { roles: _, ...by } = voterOf(person);
      const question = { action_id: view.id, channel, by, audience: audienceOf(person), comment };
      await ask(context, requests.comment, question, CommentAnswer);
      return 'commented';
    },
  };

  return { seen, ...acts };
}

function aboutIt(view: ApprovalView, { person, channel }: Actor, form: Form) {
  return {
    action_id: view.id,
    channel,
    voter: voterOf(person),
    // What was on the page that the form comes from, whatever it is by now.
    payload_digest: form['payload_digest'] ?? '',
    ...commentIn(form),
  };
}

function commentIn(form: Form): { comment?: string } {
  const text = (form['comment'] ?? '').replaceAll('\r\n', '\n').trim();
  if (text === '') return {};
  const parsed = Comment.safeParse(text);
  if (parsed.success) return { comment: parsed.data };
  throw new Refusal('VALIDATION_ERROR', { message: 'A comment is text of at most 4,000 characters.' });
}

function saidIn(view: ApprovalView, form: Form) {
  const decide = form['decide'] ?? '';
  const choice = view.choices.find(({ name }) => decide === `choice:${name}`);
  if (!choice && decide !== 'approve' && decide !== 'reject') {
    throw new Refusal('VALIDATION_ERROR', { message: 'Press one of the buttons to decide.' });
  }
  const isYes = choice ? choice.means === 'allow' : decide === 'approve';
  const isAnswer = isYes && view.answer_schema !== null && view.answer_schema !== undefined;
  return {
    ...(choice ? { choice: choice.name } : { vote: decide === 'approve' ? 'approve' : 'reject' }),
    ...(isAnswer ? { answer: answerIn(view.answer_schema as AnswerSchema, form) } : {}),
  } as const;
}
