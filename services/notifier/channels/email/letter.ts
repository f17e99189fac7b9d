import { type EventData, placesText } from '@placet/events';
import { argumentsOf, harmless, unlinked } from '@placet/text';
import {
  argumentNotes,
  behindIt,
  endText,
  progressText,
  regarding,
  ruleText,
  votesSaid,
} from '../../text/approval.ts';
import { oneLine } from '../../text/quoted.ts';
import type { Told } from '../../told.ts';

/** Why somebody gets a mail about an approval. */
export type Occasion = 'asked' | 'reminded' | 'changed' | 'ended';

/** What a mail says, before it is set as text or as HTML. All of it can be shown as it is: nothing in it hides or links. */
export type Letter = {
  title: string;
  /** Sentences of ours. */
  lead: string[];
  /** Where a person looks at it and decides. */
  link: string | null;
  linkWords: string;
  facts: { name: string; text: string }[];
  /** One argument a line; null where it is over and they are known. */
  arguments: string[] | null;
  notes: string[];
  /** Small print. */
  foot: string[];
};

/** A mail of more than about 100 KB is cut by those who show it; this is a fifth of that at the most. */
const argumentsRoom = { lines: 60, chars: 8000 };
const textCharsMax = 2000;

export function letterOf(
  told: Told,
  occasion: Occasion,
  {
    link,
    as,
    root,
    instead = null,
  }: { link: string | null; as: string[]; root?: string | undefined; instead?: string | null },
): Letter {
  const { needed } = told;
  const isOver = told.ended !== null;
  const letter = {
    title: titleOf(told, occasion),
    lead: [
      ...leadOf(told, occasion),
      ...whereElse(needed, isOver),
      ...(instead === null ? [] : [safe(instead, textCharsMax)]),
    ],
    link: isOver ? null : link,
    linkWords: isDecidedByMail(needed) ? 'Review and decide' : 'Look at it',
    facts: factsOf(told),
    // Who has seen them before need not be shown them again.
    arguments: isOver && root !== undefined ? null : linesOf(needed),
    notes: isOver ? [] : notesOf(needed),
  };
  return { ...letter, foot: footOf(letter, isDecidedByMail(needed), as, isOver) };
}

function titleOf({ needed: { agent }, ended }: Told, occasion: Occasion): string {
  if (ended) return `It is ${ended.decision}`;
  switch (occasion) {
    case 'changed':
      return `What ${agent} asks for has changed`;
    case 'reminded':
      return `${agent} still waits for a decision`;
    default:
      return `${agent} waits for a decision`;
  }
}

/** Whether the policy lets people decide by the links of mails. */
export const isDecidedByMail = ({ only_in }: Told['needed']) => only_in?.includes('email') ?? true;

function whereElse(needed: Told['needed'], isOver: boolean): string[] {
  return isOver || isDecidedByMail(needed)
    ? []
    : [`The policy wants this to be decided ${placesText(needed.only_in ?? [])}, not by mail.`];
}

function leadOf({ needed, ended }: Told, occasion: Occasion): string[] {
  if (ended) return [safe(oneLine(endText(ended)), textCharsMax), 'There is nothing left to do.'];
  const otherwise = needed.on_timeout === 'deny' ? 'denied' : 'ALLOWED';
  const until = `Unless people decide by ${timeText(needed.deadline)}, it is ${otherwise}.`;
  switch (occasion) {
    case 'changed':
      return [
        'The arguments were changed, so it is another question: earlier votes are void, and so is the link that you had.',
        until,
      ];
    case 'reminded':
      return ['You were asked before whether it may do this.', until];
    default:
      return ['An AI agent asks people whether it may do this.', until];
  }
}

function factsOf(told: Told): Letter['facts'] {
  const { needed } = told;
  const who = behindIt(needed);
  const votes = votesSaid(told);
  const facts: [string, string | null | undefined][] = [
    ['Agent', who === null ? needed.agent : `${needed.agent} (${who})`],
    ['Action', needed.action_name],
    ...regarding(needed),
    ['Why', needed.reasoning],
    ['Asked because', ruleText(needed)],
    ['Approved', told.ended ? null : progressText(told)],
    ['Votes', votes.length === 0 ? null : votes.join('\n')],
  ];
  return facts.flatMap(([name, text]) =>
    text === null || text === undefined || text === '' ? [] : [{ name, text: safe(text, textCharsMax) }],
  );
}

function linesOf({ payload }: EventData<'approval.needed'>): string[] {
  return argumentsOf(payload, argumentsRoom).lines.map(unlinked);
}

function notesOf(needed: EventData<'approval.needed'>): string[] {
  const { left } = argumentsOf(needed.payload, argumentsRoom);
  const rest = `${left} more arguments are not shown here: look at all of them on the page before you decide.`;
  return [...(left > 0 ? [rest] : []), ...argumentNotes(needed)].map((text) => safe(text, textCharsMax));
}

function footOf(
  { title, lead, facts, arguments: lines, notes, link }: Omit<Letter, 'foot'>,
  isByMail: boolean,
  as: string[],
  isOver: boolean,
): string[] {
  const all = [title, ...lead, ...facts.map(({ text }) => text), ...(lines ?? []), ...notes].join('\n');
  return [
    ...(/\[[.:]\]/.test(all)
      ? ['What others wrote is no link here: [.] stands for a dot, and [:] for a colon.']
      : []),
    ...(as.length > 0
      ? [`You are ${isOver ? 'told' : 'asked'} as ${as.map((one) => safe(one, 400)).join(', ')}.`]
      : []),
    ...(link === null || !isByMail
      ? []
      : ['The link is for you alone: do not pass this mail on. To open it decides nothing.']),
  ];
}

/** In one zone that is named: nobody knows where a mail is read. */
function timeText(instant: string): string {
  const at = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'UTC',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  return `${at.format(new Date(instant))} UTC`;
}

const safe = harmless;
