import type { Mail } from '@placet/mail';
import { causeId } from '@placet/runtime';
import { shortened } from '@placet/text';
import { remindersOf } from '../../text/approval.ts';
import type { Told } from '../../told.ts';
import { htmlOf } from './html.ts';
import { type Letter, letterOf, type Occasion } from './letter.ts';

const subjectCharsMax = 150;

type MailParts = {
  occasion: Occasion;
  email: string;
  as: string[];
  link: string | null;
  /** Why they are told by mail and not where they were to be. */
  instead?: string | null;
  /** The id of the first mail, where there was one. */
  root: string | undefined;
  /** Which host the ids of mails end with. */
  host: string;
};

export function mailOf(told: Told, parts: MailParts): Mail & { html: string } {
  const { occasion, root } = parts;
  const letter = letterOf(told, occasion, parts);
  const subject = subjectOf(told, root === undefined);
  return {
    // With another subject some would show another thread.
    subject: root === undefined ? subject : `Re: ${subject}`,
    text: textOf(letter),
    html: htmlOf(letter),
    messageId: messageIdOf(told, parts),
    ...(root === undefined ? {} : { inReplyTo: root }),
  };
}

/** One line, whatever an agent calls its action. */
function subjectOf({ needed, ended }: Told, isFirst: boolean): string {
  const { agent, action_name } = needed;
  const text =
    ended && isFirst
      ? `Decided: ${agent} asked for ${action_name}`
      : `Decision needed: ${agent} asks for ${action_name}`;
  // Nobody makes links of a subject, so that what is asked for has its own name there.
  return shortened(text, subjectCharsMax).replaceAll('\n', ' ');
}

/** The same each time it is sent, so that a mail that comes twice is known for one. */
function messageIdOf(told: Told, { occasion, email, host }: MailParts): string {
  const { actionId, needed } = told;
  const what = occasion === 'ended' ? 'ended' : `${needed.revision}-${occasion}-${remindersOf(told)}`;
  return `<${actionId}.${causeId(email.toLowerCase()).slice(0, 16)}.${what}@${host}>`;
}

/** A letter for those who read text. What others wrote stands behind a bar where it could be taken for lines of ours. */
export function textOf(letter: Letter): string {
  const { title, lead, link, facts, arguments: lines, notes, foot, linkWords } = letter;
  const shown = lines?.length === 0 ? ['No arguments.'] : (lines ?? []);
  return [
    title,
    '',
    ...lead,
    ...(link === null ? [] : ['', `${linkWords}:`, link]),
    '',
    ...facts.flatMap(({ name, text }) =>
      text.includes('\n') ? [`${name}:`, ...text.split('\n').map(barred)] : [`${name}: ${text}`],
    ),
    ...(lines === null ? [] : ['', 'With these arguments:', ...shown.map(barred)]),
    ...notes,
    '',
    ...foot,
    '',
  ].join('\n');
}

const barred = (line: string) => `  | ${line}`;
