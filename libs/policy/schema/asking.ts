import { severities, voteChannels } from '@placet/events';
import { meansWords } from '../choices.ts';
import { choiceGrammar, stepGrammar } from '../grammar.ts';
import {
  choiceCharsMax,
  choicesMax,
  choicesMin,
  escalateMax,
  quorumMax,
  remindMax,
  timeoutMs,
} from '../limits.ts';
import { shareForm } from '../reminders.ts';
import { onTimeoutWords, rejectWords, requireReasonWords } from '../settings.ts';
import { approverListSchema, approversSchema, informSchema } from './approvers.ts';
import { between, form, glob, listOf, mapOf, type Schema, span, word } from './forms.ts';
import { editableSchema } from './payload-parts.ts';

/** That each step comes after the one before it, and before the timeout, is left to the parser. */
export const stepSchema: Schema = mapOf(
  stepGrammar,
  'Whom to ask when nobody has decided for so long: { after: 5m, to: ["role:oncall"] }.',
  {
    after: span(`How long after it was asked, ${between(timeoutMs)}.`, timeoutMs, { examples: ['5m'] }),
    to: approverListSchema('Who is asked then: ["role:oncall", "pagerduty:airline"].'),
    replace: {
      description: 'true: those instead of whom was asked before. Otherwise beside them.',
      type: 'boolean',
      default: false,
    },
  },
);

export const choiceSchema: Schema = mapOf(
  choiceGrammar,
  'A choice of the people, and which of the two it means: { name: retry, means: allow }.',
  {
    name: glob('What people choose.', { maxLength: choiceCharsMax, examples: ['retry'] }),
    means: word('What becomes of the action.', meansWords),
  },
);

const means = (meant: string): Schema => ({
  contains: { type: 'object', properties: { means: { const: meant } }, required: ['means'] },
});

/** What a rule that asks people says of how they are asked. */
export const askingSchemas = {
  approvers: approversSchema,
  quorum: {
    description: 'How many different people have to approve. Absent: 1, or as many as its groups take.',
    type: 'integer',
    minimum: 1,
    maximum: quorumMax,
    default: 1,
  },
  separate: {
    description:
      'true: the owner of the agent that asks may not vote, nor the person on whose behalf it asks, nor who has changed the payload.',
    type: 'boolean',
    default: false,
  },
  reject: word(
    'Whether any rejection ends it, or those of more than half of as many as have to approve.',
    rejectWords,
    { default: 'any' },
  ),
  timeout: span(
    `How long people may take, ${between(timeoutMs)}. Absent: PLACET_APPROVAL_TIMEOUT.`,
    timeoutMs,
    { examples: ['15m', '4h'] },
  ),
  on_timeout: word('What becomes of it when nobody decides in time. Absent: deny.', onTimeoutWords, {
    default: 'deny',
  }),
  remind: listOf(
    'When people are reminded, as shares of the time that they have: [50%, 90%].',
    form('A share of the time.', 'a share from "1%" to "99%", as 50%', shareForm, {
      examples: ['50%', '90%'],
    }),
    { min: 1, max: remindMax, distinct: true },
  ),
  escalate: listOf(
    'Whom to ask when nobody has decided for so long: [{ after: 5m, to: ["role:oncall"] }].',
    { $ref: '#/definitions/step' },
    { min: 1, max: escalateMax },
  ),
  inform: informSchema,
  require_reason: word('When a vote needs a comment. Absent: never.', requireReasonWords, {
    default: 'never',
  }),
  choices: listOf(
    'What people choose among, instead of approving or rejecting: [{ name: retry, means: allow }, { name: skip, means: deny }].',
    { $ref: '#/definitions/choice' },
    { min: choicesMin, max: choicesMax, distinct: true },
    { allOf: meansWords.map(means) },
  ),
  editable: editableSchema,
  only_in: listOf(
    'Where people may decide: [inbox] takes signing in to Placet itself. Absent: anywhere.',
    word('A channel.', voteChannels),
    { min: 1, max: voteChannels.length, distinct: true },
  ),
  severity: word('How loud it is in PagerDuty.', severities),
};
