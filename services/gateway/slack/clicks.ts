import { type Person, requests, VoteAnswer, type VoteQuestion } from '@placet/events';
import { approvalUrl, ask, type BusContext, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { voterOf } from '../accounts/audience.ts';
import type { People } from '../accounts/people.ts';
import type { Acts } from '../pages/acts.ts';
import { problemLines } from '../pages/words.ts';
import { type Click, identityOf, Subject, textIn } from './interaction.ts';
import { editModal, linkModal, reasonModal } from './modals.ts';
import type { Sent, Take } from './taken.ts';

/** What whoever clicked is told, and nobody else sees; null where the card, or a modal, says it. */
export type Told = string | null;

export type ClickParts = {
  context: BusContext;
  people: People;
  acts: Acts;
  take: Take;
  publicUrl: string | undefined;
};

const unlinked =
  'Placet does not know who you are. An administrator can link your Slack user to your account; until then nothing that you click is counted.';

export function noRoom(publicUrl: string | undefined, subject: Subject | null): string {
  const page = publicUrl === undefined || !subject ? '' : `: ${approvalUrl(publicUrl, subject.action_id)}`;
  return `There is no room to take clicks from Slack now. Your click was not counted. Decide on its page${page}`;
}

/** Of another kind of account than we can link. */
export const noWorkspace =
  'Slack does not say which workspace you are of, so that nothing that you click is counted.';

export function createClicks({ context, people, acts, take, publicUrl }: ClickParts) {
  /** Where else it can be done. */
  const elsewhere = ({ action_id }: Subject) =>
    publicUrl === undefined ? '' : ` Or do it on its page: ${approvalUrl(publicUrl, action_id)}`;

  /**
   * Slack lets a modal be opened for three seconds after the click. The notifier has the token for it. Where none opens,
   * whoever clicked would see nothing at all.
   */
  async function open(click: Click, view: object, subject: Subject, what: string): Promise<Told> {
    try {
      await ask(context, requests.slackModal, { trigger_id: click.trigger_id, view }, z.object({}), 2500);
      return null;
    } catch (error) {
      context.logger.warn({ err: error }, 'a modal in Slack did not open');
      return `${what} Slack did not open the window for that, and nothing is counted yet. Click again.${elsewhere(subject)}`;
    }
  }

  async function change(click: Click, person: Person, subject: Subject): Promise<Told> {
    const view = editModal(await acts.seen(subject.action_id, person), subject);
    if (view === null) return `There is no room in Slack to change this.${elsewhere(subject)}`;
    return open(click, view, subject, 'What you change is asked for in a window.');
  }

  async function vote(click: Click, person: Person, about: Clicked, said: Said): Promise<Told> {
    try {
      const question: VoteQuestion = { ...about, ...said, channel: 'slack', voter: voterOf(person) };
      const answer = await ask(context, requests.vote, question, VoteAnswer);
      return answer.decision === 'pending' ? `Your vote is counted: ${answer.vote}.` : null;
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 'REASON_REQUIRED')) throw error;
      const { clicked_at: _, ...subject } = about;
      return open(click, reasonModal({ ...subject, ...said }), subject, 'The policy wants a reason.');
    }
  }

  return async (click: Click, sent: Sent): Promise<Told> => {
    const [action] = click.actions;
    const subject = textIn(Subject, action?.value);
    // A link, or a button that is none of ours.
    if (!action || !subject) return null;
    const identity = identityOf(click);
    if (!identity) return noWorkspace;
    const person = people.inSlack(identity);
    if (!person) {
      if (publicUrl === undefined) return unlinked;
      return open(click, linkModal(`${publicUrl}/account`), subject, 'Placet does not know who you are.');
    }
    // Whoever is not linked can fill nothing that others need.
    const taken = await take(sent);
    // Somebody kept it: what was clicked since stands.
    if (taken === 'again') return null;
    if (taken === 'no_room') return noRoom(publicUrl, subject);
    try {
      if (action.action_id === 'edit') return await change(click, person, subject);
      const said = saidBy(action.action_id);
      return said && (await vote(click, person, { ...subject, ...clickedAt(sent, action) }, said));
    } catch (error) {
      if (error instanceof Refusal) return wordsOf(error);
      throw error;
    }
  };
}

type Said = Pick<VoteQuestion, 'vote' | 'choice'>;
type Clicked = Subject & Pick<VoteQuestion, 'clicked_at'>;

/** Over a connection of ours nothing says when it was sent, and the click says itself when it was made. */
export function clickedAt(
  { at }: Sent,
  action?: { action_ts?: string | undefined },
): { clicked_at?: string } {
  const ms = at?.getTime() ?? Number(action?.action_ts ?? Number.NaN) * 1000;
  return Number.isNaN(new Date(ms).getTime()) ? {} : { clicked_at: new Date(ms).toISOString() };
}

function saidBy(actionId: string): Said | null {
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
    // Nobody knows whether it was counted.
    case 'UNAVAILABLE':
      return 'Placet did not answer. Look at the card whether it was counted, and if it was not, do it again.';
    default:
      return `${message} Your click was not counted.`;
  }
}
