/** A field of the language that is not built yet is known, so that it can be refused by its name. */
type Standing = 'built' | 'later';

export type Grammar<F extends string = string> = {
  /** How messages call the thing that has these fields. */
  noun: string;
  fields: Readonly<Record<F, Standing>>;
  /** Fields that must be there, and how to write them. */
  required: Readonly<Record<string, string>>;
};

export const policyGrammar = {
  noun: 'a policy',
  fields: {
    version: 'built',
    default: 'built',
    rules: 'built',
    lists: 'built',
    include: 'built',
    tests: 'built',
  },
  required: { version: 'write "version: 1"' },
} as const satisfies Grammar;

export const ruleGrammar = {
  noun: 'a rule',
  fields: {
    name: 'built',
    action: 'built',
    tool: 'built',
    server: 'built',
    acting_agent: 'built',
    on_behalf_of: 'built',
    tags: 'built',
    schedule: 'built',
    when: 'built',
    decide: 'built',
    approvers: 'built',
    quorum: 'built',
    separate: 'built',
    reject: 'built',
    timeout: 'built',
    on_timeout: 'built',
    remind: 'built',
    escalate: 'built',
    inform: 'built',
    require_reason: 'built',
    choices: 'built',
    valid_for: 'built',
    reason: 'built',
    limit: 'built',
    budget: 'built',
    redact: 'built',
    editable: 'built',
    only_in: 'later',
  },
  required: {
    action: 'the name of an action, or a pattern such as "refund.*"',
    decide: 'allow, deny or require_approval',
  },
} as const satisfies Grammar;

export const scheduleGrammar = {
  noun: 'a schedule',
  fields: { days: 'built', hours: 'built', zone: 'built' },
  required: { zone: 'a time zone, as Europe/Berlin or UTC' },
} as const satisfies Grammar;

export const limitGrammar = {
  noun: 'a limit',
  fields: { count: 'built', per: 'built', by: 'built', else: 'built' },
  required: { count: 'how often, as 10', per: 'a span, as "1h"' },
} as const satisfies Grammar;

export const budgetGrammar = {
  noun: 'a budget',
  fields: { sum: 'built', max: 'built', per: 'built', by: 'built', else: 'built' },
  required: { sum: 'what is added up, as payload.amount', max: 'how much, as 500', per: 'a span, as "24h"' },
} as const satisfies Grammar;

export const groupGrammar = {
  noun: 'a group of approvers',
  fields: { any: 'built', all: 'built' },
  required: {},
} as const satisfies Grammar;

export const stepGrammar = {
  noun: 'a step of escalate',
  fields: { after: 'built', to: 'built', replace: 'built' },
  required: { after: 'a span, as "5m"', to: 'who is asked then, as ["role:oncall"]' },
} as const satisfies Grammar;

export const choiceGrammar = {
  noun: 'a choice',
  fields: { name: 'built', means: 'built' },
  required: { name: 'what people choose, as retry', means: 'allow or deny' },
} as const satisfies Grammar;

export const hiddenGrammar = {
  noun: 'a part of redact',
  fields: { path: 'built', except: 'built' },
  required: {
    path: 'what is hidden, as payload.card_number',
    except: 'the roles that are shown it, as ["role:fraud"]',
  },
} as const satisfies Grammar;

export const testGrammar = {
  noun: 'a test',
  fields: {
    name: 'built',
    action: 'built',
    payload: 'built',
    agent: 'built',
    owner: 'built',
    tool: 'built',
    server: 'built',
    acting_agent: 'built',
    on_behalf_of: 'built',
    case: 'built',
    run: 'built',
    priority: 'built',
    tags: 'built',
    now: 'built',
    spent: 'built',
    expect: 'built',
  },
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

export const standing = (grammar: Grammar, field: string): Standing | undefined =>
  Object.hasOwn(grammar.fields, field) ? grammar.fields[field] : undefined;

/** Who has this field, when the one at hand does not. */
export const ownerOf = (field: string): Grammar | undefined =>
  grammars.find((grammar) => standing(grammar, field) !== undefined);

export const notBuilt = (what: string): string =>
  `${what} is part of the policy language, but this version does not build it yet; ` +
  'a policy is refused rather than read as if it said less';
