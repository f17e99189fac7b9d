import { askedNow, type EventData, placesText } from '@placet/events';
import { argumentsOf } from '@placet/text';
import { argumentNotes, behindIt, endText, progressText, ruleText, votesSaid } from '../../text/approval.ts';
import type { Told } from '../../told.ts';
import {
  type Block,
  type Button,
  buttonTextMax,
  escaped,
  header,
  marked,
  note,
  plain,
  section,
  timeText,
} from './blocks.ts';

export type Card = { text: string; blocks: Block[] };

/** Slack refuses a message of more than about 13,000 characters; the buttons have to be on it. */
const argumentsRoom = { lines: 40, chars: 2900 };
const reasoningCharsMax = 1200;

/** What a click is about: the approval, and the payload that was seen. */
export type ClickValue = { action_id: string; payload_digest: string };

type Needed = EventData<'approval.needed'>;

/** An approval as it is now. After the end there is nothing to decide. */
export function cardOf(told: Told, pageUrl: string | null): Card {
  const { needed, ended } = told;
  const title = `${needed.agent}: ${needed.action_name}`;
  const state = ended ? endText(ended) : 'waits for a decision';
  return {
    text: escaped(`${title}: ${state}`, 300),
    blocks: [
      header(title),
      ...aboutIt(told),
      ...whatWith(needed, pageUrl),
      ...(ended ? [section(endText(ended))] : progress(told)),
      ...votesIn(told),
      ...(ended ? [] : buttons(needed, pageUrl)),
    ],
  };
}

function aboutIt({ needed }: Told): Block[] {
  const { reasoning } = needed;
  const who = behindIt(needed);
  return [
    ...(who === null ? [] : [note(who)]),
    ...(reasoning === undefined ? [] : [section(`Why: ${reasoning}`, reasoningCharsMax)]),
    note(ruleText(needed)),
  ];
}

function whatWith(needed: Needed, pageUrl: string | null): Block[] {
  const { lines, left } = argumentsOf(needed.payload, argumentsRoom);
  const text = lines.length === 0 ? 'No arguments.' : lines.join('\n');
  const where = pageUrl === null ? `GET /v1/approvals/${needed.action_id}` : 'on its page, by Details';
  const rest = `${left} more arguments are not shown here. All of them: ${where}`;
  return [section(text), ...[...(left > 0 ? [rest] : []), ...argumentNotes(needed)].map(note)];
}

function progress(told: Told): Block[] {
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(told.needed.deadline)}`)] };
  return [note(`Approved: ${progressText(told)}`), until];
}

function votesIn(told: Told): Block[] {
  const said = votesSaid(told);
  return said.length === 0 ? [] : [note(said.join('\n'))];
}

/** What Slack lets a person decide; the rest is for the approval's page. */
function buttons(needed: Needed, pageUrl: string | null): Block[] {
  const { action_id, payload_digest, only_in } = needed;
  const value = JSON.stringify({ action_id, payload_digest } satisfies ClickValue);
  const isHere = only_in === undefined || only_in.includes('slack');
  const page: Button[] =
    pageUrl === null ? [] : [{ type: 'button', action_id: 'details', text: plain('Details'), url: pageUrl }];
  const elements = [...(isHere ? deciding(needed, value) : []), ...page];
  return [
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
    const named = choices.map(({ name, means }) =>
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

export function commentReply({ by, comment }: Told['comments'][number]): Reply {
  const text = `${by.email} says: ${comment}`;
  return { text: escaped(text, 300), blocks: [section(text, replyCharsMax)] };
}

export function reminderReply({ needed, standing }: Told): Reply {
  const asked = askedNow(standing).join(', ');
  const text = `It still waits: ${asked}.`;
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(needed.deadline)}`)] };
  return { text: escaped(text, 300), blocks: [section(text, replyCharsMax), until] };
}
