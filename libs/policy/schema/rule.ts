import { nameForm } from '@placet/events';
import { channelPattern, emailPattern } from '../approver.ts';
import { conditionCharsMax } from '../cel/bounds.ts';
import { ruleGrammar } from '../grammar.ts';
import { approversMax, quorumMax, reasonCharsMax, redactMax, timeoutMs, validForMs } from '../limits.ts';
import { decides } from '../readers.ts';
import { redactForm } from '../redact.ts';
import { onTimeoutWords, requireReasonWords } from '../settings.ts';
import {
  between,
  expression,
  form,
  glob,
  listOf,
  mapOf,
  portable,
  type Schema,
  span,
  text,
  word,
} from './forms.ts';
import { ruleConditions } from './rule-conditions.ts';

const inner = (pattern: RegExp): string => portable(pattern).slice(1, -1);

const approver: Schema = {
  description:
    '"#channel" or "role:NAME": any person with the role (of a channel: approver). "user:EMAIL": that person.',
  type: 'string',
  pattern: `^(#${inner(channelPattern)}|role:${inner(nameForm)}|user:${inner(emailPattern)})$`,
  patternErrorMessage: 'expected "#channel", "role:NAME" or "user:EMAIL"',
  examples: ['#approvals', 'role:manager', 'user:dana@example.com'],
};

const redactedPath = form(
  'A part of the payload. It goes through the elements of lists.',
  'a path into the payload, as payload.card_number',
  redactForm,
  { examples: ['payload.card_number'] },
);

/** What a rule that asks people says of how they are asked. */
const asking = {
  approvers: listOf(
    'Who may vote: ["#approvals", "role:manager", "user:dana@example.com"]. Absent: any person with the role approver.',
    approver,
    { min: 1, max: approversMax, distinct: true },
  ),
  quorum: {
    description: 'How many different people have to approve. Absent: 1. One rejection ends it.',
    type: 'integer',
    minimum: 1,
    maximum: quorumMax,
    default: 1,
  },
  separate: {
    description:
      'true: the owner of the agent that asks may not vote, nor the person on whose behalf it asks.',
    type: 'boolean',
    default: false,
  },
  timeout: span(
    `How long people may take, ${between(timeoutMs)}. Absent: PLACET_APPROVAL_TIMEOUT.`,
    timeoutMs,
    {
      examples: ['15m', '4h'],
    },
  ),
  on_timeout: word('What becomes of it when nobody decides in time. Absent: deny.', onTimeoutWords, {
    default: 'deny',
  }),
  require_reason: word('When a vote needs a comment. Absent: never.', requireReasonWords, {
    default: 'never',
  }),
};

/** The line breaks at its end do not count, which a bound on its length could not say. */
const reason = text('What agents and people are told.', {
  pattern: `^[\\s\\S]{0,${reasonCharsMax - 1}}\\S\\s*$`,
  patternErrorMessage: `expected a text of at most ${reasonCharsMax} characters`,
  maxLength: undefined,
});

const told = (what: string): Schema =>
  glob(`A pattern over ${what}. What was not told matches nothing, and an agent can leave it out.`);

export const ruleSchema: Schema = mapOf(
  ruleGrammar,
  'The first rule that matches decides.',
  {
    name: text('How the rule is called in answers. Absent: "rule for ACTION". A limit or a budget needs it.'),
    action: glob(
      'The name of an action, or a pattern. * stands for any characters, dots included, or none. One that begins with * needs quotes: "*".',
      { examples: ['refund.*', '*'] },
    ),
    tool: told('the tool that the agent told'),
    server: told('the server that the agent told'),
    acting_agent: told('the agent that acts, where that is another one'),
    on_behalf_of: told('the person for whom the agent acts'),
    tags: told('the tags that the agent told, of which one has to match'),
    schedule: { $ref: '#/definitions/schedule' },
    when: expression(
      'A condition in CEL over payload, agent, action, context, lists and now: the rule matches only when it holds.',
      conditionCharsMax,
      { examples: ['payload.amount < 50', 'agent.id == "support"'] },
    ),
    decide: word('What becomes of an action that the rule matches.', decides),
    ...asking,
    valid_for: span(`How long the permission lasts, ${between(validForMs)}; for allow too.`, validForMs, {
      examples: ['10m'],
    }),
    reason,
    limit: { $ref: '#/definitions/limit' },
    budget: { $ref: '#/definitions/budget' },
    redact: listOf(
      'Parts of the payload that nobody is shown who is asked: [payload.card, payload.items.pin].',
      redactedPath,
      { min: 1, max: redactMax },
    ),
  },
  {
    ...ruleConditions,
    defaultSnippets: [
      { label: 'a rule that allows', body: { action: '$1', decide: 'allow' } },
      {
        label: 'a rule that allows a few',
        body: { name: '$1', action: '$2', decide: 'allow', limit: { count: 10, per: '1h' } },
      },
      {
        label: 'a rule that asks people',
        body: { action: '$1', decide: 'require_approval', approvers: ['role:$2'], timeout: '1h' },
      },
      { label: 'a rule that denies', body: { action: '$1', decide: 'deny', reason: '$2' } },
    ],
  },
);
