import type { EventData } from '@placet/events';
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

/** An approval as it is now. After the end there is nothing to click. */
export function cardOf(told: Told): Card {
  const { needed, ended } = told;
  const title = `${needed.agent}: ${needed.action_name}`;
  const state = ended ? endText(ended) : 'waits for a decision';
  return {
    text: escaped(`${title}: ${state}`, 300),
    blocks: [
      header(title),
      ...aboutIt(told),
      ...whatWith(needed),
      ...(ended ? [section(endText(ended))] : progress(told)),
      ...votesIn(told),
      ...(ended ? [] : [buttons(told)]),
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

function whatWith(needed: EventData<'approval.needed'>): Block[] {
  const { lines, left } = argumentsOf(needed.payload, argumentsRoom);
  const text = lines.length === 0 ? 'No arguments.' : lines.join('\n');
  const rest = `${left} more arguments are not shown here. All of them: GET /v1/approvals/${needed.action_id}`;
  return [section(text), ...[...(left > 0 ? [rest] : []), ...argumentNotes(needed)].map(note)];
}

function progress(told: Told): Block[] {
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(told.needed.deadline)}`)] };
  return [note(progressText(told)), until];
}

function votesIn(told: Told): Block[] {
  const said = votesSaid(told);
  return said.length === 0 ? [] : [note(said.join('\n'))];
}

function buttons({ needed }: Told): Block {
  const { action_id, payload_digest } = needed;
  const value = JSON.stringify({ action_id, payload_digest } satisfies ClickValue);
  return { type: 'actions', block_id: action_id, elements: deciding(needed, value) };
}

/** What Slack lets a person decide; the rest is for the approval's page. */
function deciding(needed: EventData<'approval.needed'>, value: string): Button[] {
  const { choices, answer_schema } = needed;
  const button = (action_id: string, text: string, style?: Button['style']): Button => ({
    type: 'button',
    action_id,
    text: plain(text, buttonTextMax),
    value,
    ...(style === undefined ? {} : { style }),
  });
  if (choices) {
    return choices.map(({ name, means }) =>
      button(`choice:${name}`, name, means === 'allow' ? 'primary' : 'danger'),
    );
  }
  const reject = button('reject', 'Reject', 'danger');
  // A question is answered where there is room for an answer.
  if (answer_schema) return [reject];
  return [button('approve', 'Approve', 'primary'), reject];
}
