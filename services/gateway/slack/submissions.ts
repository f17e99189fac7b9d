import { type Person, requests, type SlackIdentity, VoteAnswer, type VoteQuestion } from '@placet/events';
import { ask, Refusal } from '@placet/runtime';
import { voterOf } from '../accounts/audience.ts';
import { Comment } from '../checks/comment.ts';
import type { SlackCodes } from '../sessions/slack-codes.ts';
import type { ClickParts } from './clicks.ts';
import { clickedAt, noRoom, noWorkspace, wordsOf } from './clicks.ts';
import { identityOf, Kept, Subject, type Submission, textIn, writtenIn } from './interaction.ts';
import { linkedModal, modals } from './modals.ts';
import type { Sent } from './taken.ts';

/** What Slack shows next: problems at the fields of a modal that stays open, or another modal; null closes it. */
export type Next = { problems: Record<string, string> } | { view: Record<string, unknown> } | null;

type Parts = ClickParts & { codes: SlackCodes };

/** What somebody wrote into a modal. Who they are is looked up anew: a modal may stand open for long. */
export function createSubmissions({ context, people, acts, take, codes, publicUrl }: Parts) {
  return async (submission: Submission, sent: Sent): Promise<Next> => {
    const identity = identityOf(submission);
    const { callback_id } = submission.view;
    if (!identity) return { problems: { code: noWorkspace } };
    if (callback_id === modals.link) return link(submission, identity);
    const person = people.inSlack(identity);
    const field = callback_id === modals.edit ? 'change.0' : 'comment';
    if (!person) return { problems: { [field]: 'Placet does not know who you are any more.' } };
    const taken = await take(sent);
    if (taken === 'again') {
      return { problems: { [field]: 'This has come before. Look at the card, whether it was counted.' } };
    }
    if (taken === 'no_room') {
      const subject = textIn(Subject, submission.view.private_metadata);
      return { problems: { [field]: noRoom(publicUrl, subject) } };
    }
    try {
      if (callback_id === modals.edit) await change(submission, person);
      else if (callback_id === modals.reason) await vote(submission, person, sent);
      return null;
    } catch (error) {
      if (error instanceof Refusal) return { problems: { [field]: wordsOf(error) } };
      throw error;
    }
  };

  async function vote(submission: Submission, person: Person, sent: Sent): Promise<void> {
    const kept = textIn(Kept, submission.view.private_metadata);
    const comment = Comment.safeParse(writtenIn(submission)['comment'] ?? '');
    if (!kept) return;
    if (!comment.success) throw new Refusal('REASON_REQUIRED', { message: 'Write a reason.' });
    const question: VoteQuestion = {
      ...kept,
      ...clickedAt(sent),
      comment: comment.data,
      channel: 'slack',
      voter: voterOf(person),
    };
    await ask(context, requests.vote, question, VoteAnswer);
  }

  async function change(submission: Submission, person: Person): Promise<void> {
    const subject = textIn(Subject, submission.view.private_metadata);
    if (!subject) return;
    const view = await acts.seen(subject.action_id, person);
    const written = writtenIn(submission);
    const changes = view.editable.map((path, n) => [`change.${path}`, written[`change.${n}`] ?? '']);
    // The digest is of what was on the screen: if it is another by now, the fields may be others too.
    const form = {
      ...Object.fromEntries(changes),
      comment: written['comment'] ?? '',
      payload_digest: subject.payload_digest,
    };
    await acts.edits(view, { person, channel: 'slack' }, form);
  }

  async function link(submission: Submission, identity: SlackIdentity): Promise<Next> {
    const person = await codes.use(writtenIn(submission)['code'] ?? '', identity, new Date());
    if (typeof person === 'string') return { problems: { code: person } };
    try {
      await people.linkSlack(person.id, identity, person.id);
      return { view: linkedModal(person.email) };
    } catch (error) {
      if (error instanceof Refusal) return { problems: { code: error.message } };
      throw error;
    }
  }
}
