import { askedNow, type EventData, placesText } from '@placet/events';
import { argumentsOf } from '@placet/text';
import {
  argumentNotes,
  behindIt,
  endText,
  progressText,
  regarding,
  ruleText,
  votesSaid,
} from '../../text/approval.ts';
import { oneLine, saying } from '../../text/quoted.ts';
import type { Said, Told } from '../../told.ts';
import {
  type Block,
  type Button,
  buttonTextMax,
  escaped,
  header,
  headerCharsMax,
  marked,
  note,
  plain,
  section,
  timeText,
} from './blocks.ts';

export type Card = { text: string; blocks: Block[] };

/** The heading and the bars take a little as well. */
const argumentsRoom = { lines: 40, chars: 2700 };
const reasoningCharsMax = 1200;
const titleCharsMax = 1000;

/** What a click is about: the approval, and the payload that was seen. */
type ClickValue = { action_id: string; payload_digest: string };

type Needed = EventData<'approval.needed'>;

/** Slack refuses a message of more than about 13,000 characters, as JSON. */
const cardCharsMax = 12_000;
/** How much of each part is shown, until all of it together has room. */
const rooms = [1, 0.6, 0.35, 0.15, 0];

/** An approval as it is now. After the end there is nothing to decide. */
/** `instead` is why it stands here and not where it was to stand. */
export function cardOf(told: Told, pageUrl: string | null, instead: string | null = null): Card {
  const cardIn = (room: number) => cardWith(told, { pageUrl, instead, room });
  const cards = rooms.values().map(cardIn);
  const fitting = cards.find(({ blocks }) => JSON.stringify(blocks).length <= cardCharsMax);
  return fitting ?? cardIn(0);
}

function cardWith(
  told: Told,
  { pageUrl, instead, room }: { pageUrl: string | null; instead: string | null; room: number },
): Card {
  const { needed, ended } = told;
  const title = oneLine(`${needed.agent}: ${needed.action_name}`);
  const state = ended ? oneLine(endText(ended)) : 'waits for a decision';
  const chars = (charsMax: number) => Math.max(100, Math.floor(charsMax * room));
  return {
    text: escaped(`${title}: ${state}`, 300),
    blocks: [
      header(title),
      // A header is cut, and it stands nowhere else.
      ...(title.length > headerCharsMax ? [section(title, titleCharsMax)] : []),
      ...(instead === null ? [] : [note(instead)]),
      ...aboutIt(told, chars),
      ...whatWith(needed, pageUrl, chars),
      ...(ended ? [section(endText(ended), chars(2000))] : progress(told, chars)),
      ...votesIn(told, chars),
      ...(ended ? [] : buttons(needed, pageUrl)),
    ],
  };
}

/** How much room there is for something that could take so much. */
type Chars = (charsMax: number) => number;

function aboutIt({ needed }: Told, chars: Chars): Block[] {
  const { reasoning } = needed;
  const who = behindIt(needed);
  const about = regarding(needed).map(([name, text]) => `${name}: ${text}`);
  return [
    ...(who === null ? [] : [note(who, chars(1000))]),
    ...(about.length === 0 ? [] : [note(about.join('\n'), chars(1000))]),
    ...(reasoning === undefined ? [] : [section(saying('Why', reasoning, chars(reasoningCharsMax)))]),
    note(ruleText(needed), chars(2000)),
  ];
}

function whatWith(needed: Needed, pageUrl: string | null, chars: Chars): Block[] {
  const room = { ...argumentsRoom, chars: chars(argumentsRoom.chars) };
  const { lines, left } = argumentsOf(needed.payload, room);
  const listed = lines.map((line) => `  │ ${line}`).join('\n');
  const text = lines.length === 0 ? 'No arguments.' : `With these arguments:\n${listed}`;
  const where = pageUrl === null ? `GET /v1/approvals/${needed.action_id}` : 'on its page, by Details';
  const rest = `${left} more arguments are not shown here. All of them: ${where}`;
  return [
    section(text),
    ...[...(left > 0 ? [rest] : []), ...argumentNotes(needed)].map((text) => note(text, chars(2000))),
  ];
}

function progress(told: Told, chars: Chars): Block[] {
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(told.needed.deadline)}`)] };
  return [note(`Approved: ${progressText(told)}`, chars(2000)), until];
}

function votesIn(told: Told, chars: Chars): Block[] {
  const said = votesSaid(told);
  return said.length === 0 ? [] : [note(said.join('\n'), chars(2000))];
}

/** What Slack lets a person decide; the rest is for the approval's page. */
function buttons(needed: Needed, pageUrl: string | null): Block[] {
  const { action_id, payload_digest, only_in } = needed;
  const value = JSON.stringify({ action_id, payload_digest } satisfies ClickValue);
  const isHere = only_in === undefined || only_in.includes('slack');
  const page: Button[] =
    pageUrl === null ? [] : [{ type: 'button', action_id: 'details', text: plain('Details'), url: pageUrl }];
  const elements = [...(isHere ? deciding(needed, value) : []), ...page];
  const where = pageUrl === null ? 'by API' : 'on its page, by Details';
  return [
    ...(needed.answer_schema ? [note(`It is a question: it is answered ${where}.`)] : []),
    ...(isHere ? [] : [note(`The policy wants this to be decided ${placesText(only_in)}.`)]),
    ...(elements.length > 0 ? [{ type: 'actions' as const, block_id: action_id, elements }] : []),
  ];
}

function deciding(needed: Needed, value: string): Button[] {
  const { choices, answer_schema, editable = [], accepts = [] } = needed;
  const button = (action_id: string, text: string, style?: Button['style']): Button => ({
    type: 'button',
    action_id,
    text: plain(text, buttonTextMax),
    value,
    ...(style === undefined ? {} : { style }),
  });
  const edit = editable.length > 0 && accepts.includes('edits') ? [button('edit', 'Edit')] : [];
  if (choices) {
    // What means yes to a question is said where there is room for an answer.
    const here = answer_schema ? choices.filter(({ means }) => means === 'deny') : choices;
    const named = here.map(({ name, means }) =>
      button(`choice:${name}`, name, means === 'allow' ? 'primary' : 'danger'),
    );
    return [...named, ...edit];
  }
  const reject = button('reject', 'Reject', 'danger');
  // A question is answered where there is room for an answer.
  if (answer_schema) return [reject];
  return [button('approve', 'Approve', 'primary'), reject, ...edit];
}

const replyCharsMax = 2000;

/** What is said in the thread of a card. */
export type Reply = { text: string; blocks: Block[] };

export function commentReply({ by, comment }: Pick<Said, 'by' | 'comment'>): Reply {
  const who = `${by.email} says`;
  return {
    text: escaped(`${who}: ${oneLine(comment)}`, 300),
    blocks: [section(saying(who, comment, replyCharsMax))],
  };
}

export function reminderReply({ needed, standing }: Told): Reply {
  const asked = askedNow(standing).join(', ');
  const text = `It still waits: ${asked}.`;
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(needed.deadline)}`)] };
  return { text: escaped(text, 300), blocks: [section(text, replyCharsMax), until] };
}
