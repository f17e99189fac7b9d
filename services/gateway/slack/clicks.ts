import {
  type VoteAnswer as Answer,
  type Person,
  requests,
  VoteAnswer,
  type VoteQuestion,
} from '@placet/events';
import { ask, type BusContext, Refusal } from '@placet/runtime';
import type { People } from '../accounts/people.ts';
import { type Click, subjectOf } from './interaction.ts';

/** What whoever clicked is told, and nobody else sees; null where the card itself will say it. */
export type Told = string | null;

const unlinked =
  'Placet does not know who you are. An administrator can link your Slack user to your account; until then nothing that you click is counted.';

export function createClicks({ context, people }: { context: BusContext; people: People }) {
  return async (click: Click): Promise<Told> => {
    const [action] = click.actions;
    const subject = subjectOf(action?.value);
    // A link, or a button that is none of ours.
    if (!action || !subject) return null;
    const team = click.team?.id ?? click.user.team_id ?? '';
    const person = people.inSlack({ team, user: click.user.id });
    if (!person) return unlinked;
    const said = saidBy(action.action_id);
    if (!said) return null;
    try {
      const question: VoteQuestion = { ...subject, ...said, channel: 'slack', voter: voterOf(person) };
      const answer: Answer = await ask(context, requests.vote, question, VoteAnswer);
      return answer.decision === 'pending' ? `Your vote is counted: ${answer.vote}.` : null;
    } catch (error) {
      if (error instanceof Refusal) return wordsOf(error);
      throw error;
    }
  };
}

function saidBy(actionId: string): Pick<VoteQuestion, 'vote' | 'choice'> | null {
  if (actionId === 'approve' || actionId === 'reject') return { vote: actionId };
  const choice = /^choice:(.{1,60})$/u.exec(actionId)?.[1];
  return choice === undefined ? null : { choice };
}

const voterOf = ({ id, email, name, roles }: Person) => ({
  id,
  email,
  ...(name === undefined ? {} : { name }),
  roles,
});

function wordsOf({ code, message }: Refusal): string {
  switch (code) {
    case 'ALREADY_DECIDED':
      return 'This is decided already. Your click was not counted.';
    case 'STALE_PAYLOAD':
      return 'What you saw has been changed since. Look at the card as it is now, and decide anew. Your click was not counted.';
    default:
      return `${message} Your click was not counted.`;
  }
}
