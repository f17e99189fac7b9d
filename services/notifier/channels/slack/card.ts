import { approvalsOf, askedOf, type EventData, peopleWanted, standingVotes } from '@placet/events';
import { argumentsOf } from '@placet/text';
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
const votesMax = 20;

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
  const { acting_agent, on_behalf_of, reasoning, rule, reason } = needed;
  const who = [
    ...(acting_agent === undefined ? [] : [`by ${acting_agent}`]),
    ...(on_behalf_of === undefined ? [] : [`for ${on_behalf_of}`]),
  ];
  return [
    ...(who.length > 0 ? [note(who.join(', '))] : []),
    ...(reasoning === undefined ? [] : [section(`Why: ${reasoning}`, reasoningCharsMax)]),
    note(rule === null ? reason : `Rule: ${rule}. ${reason}`),
  ];
}

function whatWith({
  action_id,
  payload,
  redacted = [],
  revision,
  edited_by = [],
}: EventData<'approval.needed'>): Block[] {
  const { lines, left } = argumentsOf(payload, argumentsRoom);
  const text = lines.length === 0 ? 'No arguments.' : lines.join('\n');
  const notes = [
    ...(left > 0
      ? [`${left} more arguments are not shown here. All of them: GET /v1/approvals/${action_id}`]
      : []),
    ...(redacted.length > 0 ? [`Hidden: ${redacted.join(', ')}.`] : []),
    ...(revision > 1
      ? [`Changed by ${edited_by.map(({ email }) => email).join(', ')}; earlier votes are void.`]
      : []),
  ];
  return [section(text), ...notes.map(note)];
}

function progress({ needed, standing }: Told): Block[] {
  const votes = standing.votes.map(({ data }) => data);
  const demands = standing.demands.map((demand, position) => {
    const met = approvalsOf(demand, votes, position);
    return `${met} of ${peopleWanted(demand)}: ${askedOf([demand]).join(', ')}`;
  });
  const until: Block = { type: 'context', elements: [marked(`Until ${timeText(needed.deadline)}`)] };
  return [note(demands.join(' and ')), until];
}

function votesIn({ standing }: Told): Block[] {
  const votes = standingVotes(standing.votes.map(({ data }) => data)).slice(-votesMax);
  if (votes.length === 0) return [];
  const said = votes.map(({ voter, vote, choice, comment }) => {
    const word = choice === undefined ? (vote === 'approve' ? 'approved' : 'rejected') : `chose ${choice}`;
    return `${voter.email} ${word}${comment === undefined ? '' : `: ${comment}`}`;
  });
  return [note(said.join('\n'))];
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

function endText({ decision, deciders, reason, choice }: EventData<'action.decided'>): string {
  const by = deciders.map((who) => who.replace(/^person:/, '')).join(', ');
  const what = choice === undefined ? decision : `${decision} (${choice})`;
  return `${what[0]?.toUpperCase()}${what.slice(1)} by ${by}: ${reason}`;
}
