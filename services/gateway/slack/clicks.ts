import { requests, VoteAnswer, type VoteQuestion } from '@placet/events';
import { ask, type BusContext, Refusal } from '@placet/runtime';
import * as z from 'zod';
import type { People } from '../accounts/people.ts';
import type { Acts } from '../pages/acts.ts';
import { problemLines } from '../pages/words.ts';
import { voterOf } from '../routes/audience.ts';
import { type Click, identityOf, Subject, textIn } from './interaction.ts';
import { editModal, linkModal, reasonModal } from './modals.ts';

/** What whoever clicked is told, and nobody else sees; null where the card, or a modal, says it. */
export type Told = string | null;

export type ClickParts = {
  context: BusContext;
  people: People;
  acts: Acts;
  publicUrl: string | undefined;
};

const unlinked =
  'Placet does not know who you are. An administrator can link your Slack user to your account; until then nothing that you click is counted.';
const tooLarge = (page: string) => `There is no room in Slack to change this. Do it there: ${page}`;

export function createClicks({ context, people, acts, publicUrl }: ClickParts) {
  /** Slack lets a modal be opened for three seconds after the click. The notifier has the token for it. */
  async function open(click: Click, view: object): Promise<null> {
    await ask(context, requests.slackModal, { trigger_id: click.trigger_id, view }, z.object({}), 2500);
    return null;
  }

  return async (click: Click): Promise<Told> => {
    const [action] = click.actions;
    const subject = textIn(Subject, action?.value);
    // A link, or a button that is none of ours.
    if (!action || !subject) return null;
    const person = people.inSlack(identityOf(click));
    if (!person) return publicUrl === undefined ? unlinked : open(click, linkModal(`${publicUrl}/account`));
    try {
      if (action.action_id === 'edit') {
        const view = editModal(await acts.seen(subject.action_id, person), subject);
        return view === null
          ? tooLarge(`${publicUrl ?? ''}/approvals/${subject.action_id}`)
          : await open(click, view);
      }
      const said = saidBy(action.action_id);
      if (!said) return null;
      const question: VoteQuestion = { ...subject, ...said, channel: 'slack', voter: voterOf(person) };
      const answer = await ask(context, requests.vote, question, VoteAnswer);
      return answer.decision === 'pending' ? `Your vote is counted: ${answer.vote}.` : null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const said = saidBy(action.action_id);
      if (error.code === 'REASON_REQUIRED' && said) return open(click, reasonModal({ ...subject, ...said }));
      return wordsOf(error);
    }
  };
}

function saidBy(actionId: string): Pick<VoteQuestion, 'vote' | 'choice'> | null {
  if (actionId === 'approve' || actionId === 'reject') return { vote: actionId };
  const choice = /^choice:(.{1,60})$/u.exec(actionId)?.[1];
  return choice === undefined ? null : { choice };
}

export function wordsOf({ code, message, details }: Refusal): string {
  switch (code) {
    case 'ALREADY_DECIDED':
      return 'This is decided already. Your click was not counted.';
    case 'STALE_PAYLOAD':
      return 'What you saw has been changed since. Look at the card as it is now, and decide anew. Your click was not counted.';
    case 'ANSWER_REQUIRED':
      return 'It is a question: answer it on its page. Your click was not counted.';
    case 'NOT_EDITABLE':
      return problemLines(details).join('; ') || message;
    default:
      return `${message} Your click was not counted.`;
  }
}
