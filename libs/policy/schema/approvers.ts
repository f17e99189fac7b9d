import { nameForm } from '@placet/events';
import { approverForms, channelPattern, emailPattern, servicePattern } from '../approver.ts';
import { groupGrammar } from '../grammar.ts';
import { informedForms, ownerWord } from '../inform.ts';
import { approversMax, informMax } from '../limits.ts';
import { listOf, mapOf, portable, type Schema } from './forms.ts';

const inner = (pattern: RegExp): string => portable(pattern).slice(1, -1);

const named = [
  `#${inner(channelPattern)}`,
  `role:${inner(nameForm)}`,
  `user:${inner(emailPattern)}`,
  `pagerduty:${inner(servicePattern)}`,
];

export const approverSchema: Schema = {
  description:
    '"#channel", "role:NAME" or "pagerduty:SERVICE": any person with the role (of a channel and a service: approver). "user:EMAIL": that person.',
  type: 'string',
  pattern: `^(${named.join('|')})$`,
  patternErrorMessage: `expected ${approverForms}`,
  examples: ['#approvals', 'role:manager', 'user:dana@example.com', 'pagerduty:airline'],
};

const approver: Schema = { $ref: '#/definitions/approver' };
const group: Schema = { $ref: '#/definitions/group' };
const approverOrGroup: Schema = { anyOf: [approver, group] };

/** How deep groups may be nested, and that nobody is named twice for "all", is left to the parser. */
export const groupSchema: Schema = mapOf(
  groupGrammar,
  'Several approvers: { any: [...] }, one of them; { all: [...] }, another person for each of them. An "any" may hold "all", and those "any" again.',
  {
    any: listOf('One of them is enough.', approverOrGroup, { min: 1, max: approversMax, distinct: true }),
    all: listOf('Each of them, and each another person.', approverOrGroup, { min: 1, max: approversMax }),
  },
  { minProperties: 1, maxProperties: 1 },
);

export const approversSchema: Schema = {
  description:
    'Who may vote: ["#approvals", "role:manager", "user:dana@example.com"], or a group: { all: ["role:manager", "role:security"] }. Absent: any person with the role approver.',
  anyOf: [listOf('Any of them.', approverOrGroup, { min: 1, max: approversMax, distinct: true }), group],
};

export const approverListSchema = (description: string): Schema =>
  listOf(description, approver, { min: 1, max: approversMax, distinct: true });

export const informSchema: Schema = listOf(
  'Who is told how it ended, beside those who were asked: [owner, "#approvals"]. "owner" is who owns the agent.',
  {
    type: 'string',
    pattern: `^(${[ownerWord, ...named].join('|')})$`,
    patternErrorMessage: `expected ${informedForms}`,
    examples: [ownerWord, '#approvals', 'user:dana@example.com'],
  },
  { min: 1, max: informMax, distinct: true },
);
