import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import {
  budgetGrammar,
  choiceGrammar,
  type Grammar,
  groupGrammar,
  hiddenGrammar,
  limitGrammar,
  policyGrammar,
  ruleGrammar,
  scheduleGrammar,
  stepGrammar,
  testGrammar,
} from '../grammar.ts';
import { problemsOf, rule } from '../test-reading.ts';
import { policySchema } from './policy-schema.ts';
import { schemaSaysOf } from './test-validating.ts';

const root = join(import.meta.dirname, '../../..');
const documented = [
  ...readFileSync(join(root, 'docs/policy.md'), 'utf8').matchAll(/```yaml\n(?<text>.*?)```/gs),
].map(({ groups }) => groups?.['text'] ?? '');

const Described = z.looseObject({
  description: z.string(),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())),
  required: z.array(z.string()),
  additionalProperties: z.boolean(),
});
type Described = z.infer<typeof Described>;

const Definition = z.looseObject({ description: z.string() });
const definitions = z.record(z.string(), Definition).parse(policySchema['definitions']);
const described = (name: string) => Described.parse(definitions[name]);
const maps: [string, Grammar, Described][] = [
  ['a policy', policyGrammar, Described.parse(policySchema)],
  ['a rule', ruleGrammar, described('rule')],
  ['a schedule', scheduleGrammar, described('schedule')],
  ['a limit', limitGrammar, described('limit')],
  ['a budget', budgetGrammar, described('budget')],
  ['a group', groupGrammar, described('group')],
  ['a step', stepGrammar, described('step')],
  ['a choice', choiceGrammar, described('choice')],
  ['a hidden part', hiddenGrammar, described('hidden')],
  ['a test', testGrammar, described('test')],
];

describe('the schema of', () => {
  test.each(maps)('%s has every field of the grammar, and no other', (_, { fields, required }, described) => {
    expect(Object.keys(described.properties ?? {}).toSorted()).toEqual(fields.toSorted());
    expect(described.required).toEqual(Object.keys(required));
    expect(described.additionalProperties).toBe(false);
  });

  test.each(maps)('%s tells of each field what it is', (_, __, described) => {
    for (const [name, field] of Object.entries(described.properties ?? {})) {
      const shared = definitions[String(field['$ref']).split('/').at(-1) ?? ''];
      expect([name, shared?.description ?? field['description']]).toEqual([
        name,
        expect.stringMatching(/^.{5,}[.}]$/),
      ]);
    }
  });
});

describe('is valid', () => {
  test.each(documented.map((text, n) => [n + 1, text]))('example %d of docs/policy.md', (_, text) => {
    expect(schemaSaysOf(text as string)).toBe('accepted');
  });

  const folder = join(root, 'examples/policies');
  test.each(readdirSync(folder))('examples/policies/%s, which names the schema', (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    expect(schemaSaysOf(text)).toBe('accepted');
    // Somebody else's policy stays as it is.
    if (file !== 'tollgate.yaml')
      expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../../docs/policy.schema.json');
  });

  const Snippet = z.object({ label: z.string(), body: z.record(z.string(), z.unknown()) });
  const { defaultSnippets } = z.object({ defaultSnippets: z.array(Snippet) }).parse(definitions['rule']);
  test.each(defaultSnippets)('$label, as an editor offers it', ({ body }) => {
    const text = JSON.stringify({ version: 1, rules: [body] }).replace(/\$\d/g, 'filled');
    expect([problemsOf(text), schemaSaysOf(text)]).toEqual(['accepted', 'accepted']);
  });
});

const asks = 'decide: require_approval';
const counts = ['name: n', 'decide: allow'];
const limit = (inside: string): string => rule(...counts, `limit: { ${inside} }`);
const budget = (inside: string): string => rule(...counts, `budget: { ${inside} }`);
const at = (inside: string): string => rule('decide: deny', `schedule: { zone: UTC, ${inside} }`);
const kept = (inside: string): string => `version: 1\ndefault: deny\ntests: [{ ${inside} }]`;
const many = (count: number, item: string): string => `[${Array(count).fill(item)}]`;

describe('the parser refuses it, and so does the schema:', () => {
  test.each([
    ['a list', '[]'],
    ['no version', 'default: deny'],
    ['a version in quotes', 'version: "1"'],
    ['a version to come', 'version: 2'],
    ['an unknown field', 'version: 1\nrule: []'],
    ['a default in other words', 'version: 1\ndefault: yes'],
    ['rules without value', 'version: 1\nrules:'],
    ['rules that are a map', 'version: 1\nrules: { a: deny }'],
    ['2,001 rules', `version: 1\nrules: ${many(2001, '{ action: a, decide: deny }')}`],
    ['a rule that is a text', 'version: 1\nrules: [deny]'],
    ['a rule without action', 'version: 1\nrules: [{ decide: deny }]'],
    ['a rule without decide', rule('name: x')],
    ['a slip in a field', rule('decide: deny', 'aprovers: ["#a"]')],
    ["another map's field", rule('decide: deny', 'days: [mon]')],
    ['a slip in decide', rule('decide: alow')],
    ['a name that is a number', rule('name: 7', 'decide: deny')],
    ['an empty reason', rule('reason: "  "', 'decide: deny')],
    ['a long reason', rule(`reason: ${'n'.repeat(1_001)}`, 'decide: deny')],
    ['a long name', rule(`name: ${'n'.repeat(201)}`, 'decide: deny')],
    ['an action with a space at its end', 'version: 1\nrules: [{ action: "a ", decide: deny }]'],
    ['a tool that is a list', rule('decide: deny', 'tool: [a]')],
    ['a condition that is true', rule('when: true', 'decide: deny')],
    ['a long condition', rule(`when: "${'1 == 1 || '.repeat(300)}true"`, 'decide: deny')],
    ['an empty list of approvers', rule(asks, 'approvers: []')],
    ['approvers that are a text', rule(asks, 'approvers: "#a"')],
    ['too many approvers', rule(asks, `approvers: [${Array.from({ length: 51 }, (_, n) => `role:r${n}`)}]`)],
    ['an approver twice', rule(asks, 'approvers: ["#a", "#a"]')],
    ...[
      'approvals',
      'dana@example.com',
      '#',
      '#two words',
      'role:',
      'role:Boss',
      'user:dana',
      'pagerduty:',
      'pagerduty:a b',
    ].map((approver) => [`the approver ${approver}`, rule(asks, `approvers: ["${approver}"]`)]),
    ['a channel that YAML takes for a comment', rule(asks, 'approvers:', '  - #approvals')],
    ...[
      '{}',
      '{ any: [] }',
      '{ all: role:a }',
      '{ some: ["#a"] }',
      '{ any: ["#a"], all: ["#b"] }',
      '[{ all: ["#a", 7] }]',
      '[{ any: ["#a", "#a"] }]',
      '[{ all: ["role:a", "role:b"] }, { all: ["role:a", "role:b"] }]',
    ].map((group) => [`the group ${group}`, rule(asks, `approvers: ${group}`)]),
    ['rejections by all', rule(asks, 'reject: all')],
    ...['[]', '50%', '[0%]', '[100%]', '[0.5]', '[50%, 50%]', '["50 %"]', '["050%"]'].map((remind) => [
      `the reminders ${remind}`,
      rule(asks, `remind: ${remind}`),
    ]),
    ...[
      '[]',
      '[5m]',
      '[{ after: 5m }]',
      '[{ to: ["#a"] }]',
      '[{ after: 0s, to: ["#a"] }]',
      '[{ after: 5m, to: [] }]',
      '[{ after: 5m, to: [{ any: ["#a"] }] }]',
      '[{ after: 5m, to: ["#a"], replace: "yes" }]',
      '[{ after: 5m, to: ["#a"], times: 3 }]',
    ].map((steps) => [`the steps ${steps}`, rule(asks, `escalate: ${steps}`)]),
    ...['[]', 'owner', '[Owner]', '[owner, owner]', '[{ any: ["#a"] }]'].map((inform) => [
      `the informed ${inform}`,
      rule(asks, `inform: ${inform}`),
    ]),
    ...['[]', 'payload.a', '[payload]', '[card]', '[{ path: payload.a }]'].map((editable) => [
      `editable ${editable}`,
      rule(asks, `editable: ${editable}`),
    ]),
    ...[
      '[]',
      '[{ name: a, means: allow }]',
      '[{ name: a, means: allow }, { name: b, means: allow }]',
      '[{ name: a, means: deny }, { name: b, means: deny }]',
      '[{ name: a, means: allow }, { name: " ", means: deny }]',
      '[{ name: a, means: allow }, { name: b, means: maybe }]',
      '[{ name: a, means: allow }, { name: b }]',
      `[{ name: a, means: allow }, { name: ${'b'.repeat(61)}, means: deny }]`,
      '[allow, deny]',
    ].map((choices) => [`the choices ${choices}`, rule(asks, `choices: ${choices}`)]),
    ...[
      '[]',
      '[payload]',
      '[{ path: payload.a }]',
      '[{ except: ["role:a"] }]',
      '[{ path: payload, except: ["role:a"] }]',
      '[{ path: payload.a, except: [] }]',
      '[{ path: payload.a, except: ["#a"] }]',
      '[{ path: payload.a, except: ["role:a", "role:a"] }]',
    ].map((redact) => [`redact ${redact}`, rule(asks, `redact: ${redact}`)]),
    ['a quorum of 0', rule(asks, 'quorum: 0')],
    ['a quorum of 21', rule(asks, 'quorum: 21')],
    ['a quorum of one and a half', rule(asks, 'quorum: 1.5')],
    ['separate as in YAML 1.1', rule(asks, 'separate: yes')],
    ...['15', '"15"', '0s', '6d', '121h', '15 m', '1w', '1.5h'].map((span) => [
      `the timeout ${span}`,
      rule(asks, `timeout: ${span}`),
    ]),
    ['an on_timeout that asks', rule(asks, 'on_timeout: require_approval')],
    ['a require_reason that is true', rule(asks, 'require_reason: true')],
    ['a permission for two days', rule('decide: allow', 'valid_for: 2d')],
    ['nothing to redact', rule(asks, 'redact: []')],
    ['what is not in the payload', rule(asks, 'redact: [agent.id]')],
    ['a path with an index', rule(asks, 'redact: ["payload.a[0]"]')],
    ['a path of eleven steps', rule(asks, `redact: [payload${'.a'.repeat(11)}]`)],
    ['a schedule without zone', rule('decide: deny', 'schedule: { days: [mon] }')],
    ['a schedule of a zone alone', rule('decide: deny', 'schedule: { zone: UTC }')],
    ['an offset as zone', rule('decide: deny', 'schedule: { days: [mon], zone: "+01:00" }')],
    ...['days: []', 'days: mon', 'days: [monday]', 'days: [mon, mon]', 'day: [mon]'].map((days) => [
      `a schedule with ${days}`,
      at(days),
    ]),
    ...['9:00-18:00', '09:00', '09:60-10:00', '24:00-10:00', '09:00-24:01', '09:00 - 18:00'].map((hours) => [
      `the hours ${hours}`,
      at(`hours: "${hours}"`),
    ]),
    ['a limit that is a number', rule(...counts, 'limit: 10')],
    ['a limit without per', limit('count: 10')],
    ['a limit without count', limit('per: 1h')],
    ['a limit of none', limit('count: 0, per: 1h')],
    ['a limit for 32 days', limit('count: 1, per: 32d')],
    ['a limit beyond which is allowed', limit('count: 1, per: 1h, else: allow')],
    ['a limit that sums', limit('count: 1, per: 1h, sum: payload.a')],
    ['a limit without a name', rule('decide: allow', 'limit: { count: 1, per: 1h }')],
    ['a budget without max', budget('sum: payload.a, per: 1h')],
    ['a budget of nothing', budget('sum: payload.a, per: 1h, max: 0')],
    ['a budget of infinity', budget('sum: payload.a, per: 1h, max: .inf')],
    ['a budget of a number', budget('sum: 7, per: 1h, max: 1')],
    ['lists that are a list', 'version: 1\nlists: [a]'],
    ['a list of lists', 'version: 1\nlists: { a: [[b]] }'],
    ['a list with nothing', 'version: 1\nlists: { a: [null] }'],
    ['a list in capitals', 'version: 1\nlists: { A: [] }'],
    ['a long list', `version: 1\nlists: { a: ${many(201, '1')} }`],
    ['a set twice', 'version: 1\ninclude: [money, money]'],
    ['a set in capitals', 'version: 1\ninclude: [Money]'],
    ['a test without expect', kept('action: a')],
    ['a test without action', kept('expect: deny')],
    ['a slip in a field of a test', kept('action: a, expect: deny, paylod: {}')],
    ['a moment in words', kept('action: a, expect: deny, now: today')],
    ['201 tests', kept('action: a, expect: deny').replace(/\[(.*)\]/, (_, item) => many(201, item))],
  ])('%s', (_, text) => {
    expect(problemsOf(text as string)).not.toBe('accepted');
    expect(schemaSaysOf(text as string)).not.toBe('accepted');
  });

  const asking = [
    'approvers: ["#a"]',
    'quorum: 2',
    'separate: true',
    'reject: majority',
    'remind: [50%]',
    'escalate: [{ after: 5m, to: ["#a"] }]',
    'inform: [owner]',
    'editable: [payload.a]',
    'choices: [{ name: a, means: allow }, { name: b, means: deny }]',
    'timeout: 5m',
    'on_timeout: deny',
    'require_reason: always',
    'only_in: [inbox]',
    'severity: critical',
  ];
  test.each([
    ...asking.map((field) => ['a rule that denies', field, 'decide: deny']),
    ...asking.map((field) => ['a rule that allows', field, 'decide: allow']),
    ...asking.map((field) => [
      'a rule that allows, and then denies,',
      field,
      'name: n',
      'decide: allow',
      'limit: { count: 1, per: 1h, else: deny }',
    ]),
    ['a rule that denies', 'valid_for: 5m', 'decide: deny'],
    ['a rule that denies', 'limit: { count: 1, per: 1h }', 'decide: deny', 'name: n'],
    ['a rule that asks', 'budget: { sum: payload.a, max: 1, per: 1h }', asks, 'name: n'],
  ])('%s with %s', (_, ...fields) => {
    expect(problemsOf(rule(...fields))).not.toBe('accepted');
    expect(schemaSaysOf(rule(...fields))).not.toBe('accepted');
  });
});
