export type Grammar<F extends string = string> = {
  /** How messages call the thing that has these fields. */
  noun: string;
  fields: readonly F[];
  /** Fields that must be there, and how to write them. */
  required: Readonly<Record<string, string>>;
};

export const policyGrammar = {
  noun: 'a policy',
  fields: ['version', 'default', 'rules', 'lists', 'include', 'tests'],
  required: { version: 'write "version: 1"' },
} as const satisfies Grammar;

export const ruleGrammar = {
  noun: 'a rule',
  fields: [
    'name',
    'action',
    'tool',
    'server',
    'acting_agent',
    'on_behalf_of',
    'tags',
    'schedule',
    'when',
    'decide',
    'approvers',
    'quorum',
    'separate',
    'reject',
    'timeout',
    'on_timeout',
    'remind',
    'escalate',
    'inform',
    'require_reason',
    'choices',
    'valid_for',
    'reason',
    'limit',
    'budget',
    'redact',
    'editable',
    'only_in',
    'severity',
  ],
  required: {
    action: 'the name of an action, or a pattern such as "refund.*"',
    decide: 'allow, deny or require_approval',
  },
} as const satisfies Grammar;

export const scheduleGrammar = {
  noun: 'a schedule',
  fields: ['days', 'hours', 'zone'],
  required: { zone: 'a time zone, as Europe/Berlin or UTC' },
} as const satisfies Grammar;

export const limitGrammar = {
  noun: 'a limit',
  fields: ['count', 'per', 'by', 'else'],
  required: { count: 'how often, as 10', per: 'a span, as "1h"' },
} as const satisfies Grammar;

export const budgetGrammar = {
  noun: 'a budget',
  fields: ['sum', 'max', 'per', 'by', 'else'],
  required: { sum: 'what is added up, as payload.amount', max: 'how much, as 500', per: 'a span, as "24h"' },
} as const satisfies Grammar;

export const groupGrammar = {
  noun: 'a group of approvers',
  fields: ['any', 'all'],
  required: {},
} as const satisfies Grammar;

export const stepGrammar = {
  noun: 'a step of escalate',
  fields: ['after', 'to', 'replace'],
  required: { after: 'a span, as "5m"', to: 'who is asked then, as ["role:oncall"]' },
} as const satisfies Grammar;

export const choiceGrammar = {
  noun: 'a choice',
  fields: ['name', 'means'],
  required: { name: 'what people choose, as retry', means: 'allow or deny' },
} as const satisfies Grammar;

export const hiddenGrammar = {
  noun: 'a part of redact',
  fields: ['path', 'except'],
  required: {
    path: 'what is hidden, as payload.card_number',
    except: 'the roles that are shown it, as ["role:fraud"]',
  },
} as const satisfies Grammar;

export const testGrammar = {
  noun: 'a test',
  fields: [
    'name',
    'action',
    'payload',
    'agent',
    'owner',
    'tool',
    'server',
    'acting_agent',
    'on_behalf_of',
    'case',
    'run',
    'priority',
    'tags',
    'now',
    'spent',
    'expect',
  ],
  required: { action: 'the name of an action', expect: 'allow, deny or require_approval' },
} as const satisfies Grammar;

export const grammars: readonly Grammar[] = [
  policyGrammar,
  ruleGrammar,
  scheduleGrammar,
  limitGrammar,
  budgetGrammar,
  groupGrammar,
  stepGrammar,
  choiceGrammar,
  hiddenGrammar,
  testGrammar,
];

export const hasField = ({ fields }: Grammar, field: string): boolean => fields.includes(field);

/** Who has this field, when the one at hand does not. */
export const ownerOf = (field: string): Grammar | undefined =>
  grammars.find((grammar) => hasField(grammar, field));
