import { nameForm } from '@placet/events';
import { policyGrammar, scheduleGrammar } from '../grammar.ts';
import { includesMax, listEntriesMax, listsMax, rulesMax, testsMax } from '../limits.ts';
import { listName } from '../lists.ts';
import { decides } from '../readers.ts';
import { days, hoursForm } from '../schedule.ts';
import { approverSchema, groupSchema } from './approvers.ts';
import { choiceSchema, stepSchema } from './asking.ts';
import { budgetSchema, limitSchema } from './counters.ts';
import { form, listOf, mapOf, type Schema, word } from './forms.ts';
import { hiddenSchema } from './payload-parts.ts';
import { ruleSchema } from './rule.ts';
import { testSchema } from './test-fields.ts';

const scheduleSchema = mapOf(
  scheduleGrammar,
  'When the rule is there: { days: [mon, fri], hours: "09:00-18:00", zone: Europe/Berlin }. Outside of it the rule does not match.',
  {
    days: listOf('The days of the week.', word('A day.', days), {
      min: 1,
      max: days.length,
      distinct: true,
    }),
    hours: form(
      'From when until when, in quotes. Hours that go over midnight belong to the day on which they begin.',
      'two different times in quotes, as "09:00-18:00" or "22:00-06:00"',
      hoursForm,
      { examples: ['09:00-18:00', '22:00-06:00'] },
    ),
    zone: form('A time zone.', 'a time zone, as Europe/Berlin or UTC', /^[A-Za-z]/, {
      examples: ['UTC', 'Europe/Berlin'],
    }),
  },
  { anyOf: ['days', 'hours'].map((field) => ({ properties: { [field]: true }, required: [field] })) },
);

const listsSchema: Schema = {
  description: 'Named lists that conditions can use: { domains: ["@example.com"] }.',
  type: 'object',
  patternProperties: {
    [listName.source]: listOf(
      'Texts, numbers or booleans.',
      { type: ['string', 'number', 'boolean'] },
      {
        max: listEntriesMax,
      },
    ),
  },
  additionalProperties: false,
  maxProperties: listsMax,
};

export const policySchema: Schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  $comment: 'Written by scripts/generate.ts from libs/policy. Change that, and run "npm run generate".',
  title: 'A policy of Placet',
  ...mapOf(policyGrammar, 'Says of each action: allow it, deny it, or ask people.', {
    version: { description: 'The version of the language.', const: 1 },
    default: word('What decides where no rule matches. Absent: this policy has no opinion.', decides),
    rules: listOf('The first rule that matches decides.', { $ref: '#/definitions/rule' }, { max: rulesMax }),
    lists: listsSchema,
    include: listOf(
      'Shared sets whose rules come before these.',
      form('The set of the scope "set:NAME".', 'the name of a set', nameForm),
      { max: includesMax, distinct: true },
    ),
    tests: listOf(
      'What the policy keeps: it is refused when it does not decide so.',
      { $ref: '#/definitions/test' },
      { max: testsMax },
    ),
  }),
  definitions: {
    rule: ruleSchema,
    schedule: scheduleSchema,
    limit: limitSchema,
    budget: budgetSchema,
    approver: approverSchema,
    group: groupSchema,
    step: stepSchema,
    choice: choiceSchema,
    hidden: hiddenSchema,
    test: testSchema,
  },
};

export const policySchemaText = `${JSON.stringify(policySchema, null, 2)}\n`;
