import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePolicy, testPolicy } from './index.ts';

const tested = (...lines: string[]) => {
  const found = testPolicy(['version: 1', ...lines].join('\n'));
  if (!found.ok) throw new Error(JSON.stringify(found.problems));
  return found;
};

const refunds = [
  'default: require_approval',
  'rules:',
  '  - { name: small, action: refund, when: payload.amount < 50, decide: allow }',
  '  - { name: never, action: drop, decide: deny }',
];

describe('the tests of a policy', () => {
  test('are each said with what was found, and which rule decided', () => {
    const { results } = tested(
      ...refunds,
      'tests:',
      '  - { name: a small one, action: refund, payload: { amount: 1 }, expect: allow }',
      '  - { action: refund, payload: { amount: 90 }, expect: allow }',
    );
    expect(results).toEqual([
      {
        name: 'a small one',
        line: 7,
        action: 'refund',
        expected: 'allow',
        found: 'allow',
        passed: true,
        rule: { name: 'small', line: 4 },
        reason: 'matched rule "small"',
      },
      {
        name: 'allow for refund',
        line: 8,
        action: 'refund',
        expected: 'allow',
        found: 'require_approval',
        passed: false,
        rule: null,
        reason: 'no rule of the policy default matches, and its default asks people',
      },
    ]);
  });

  test('cover the rules that decide one of them, passed or not', () => {
    const { coverage } = tested(
      ...refunds,
      'tests:',
      '  - { action: refund, payload: { amount: 1 }, expect: allow }',
      '  - { action: refund, payload: { amount: 2 }, expect: deny }',
      '  - { action: other, expect: require_approval }',
    );
    expect(coverage).toEqual({
      rules: [
        { name: 'small', line: 4, tests: 2 },
        { name: 'never', line: 5, tests: 0 },
      ],
      default: { decide: 'require_approval', tests: 1 },
    });
  });

  test('can meet no rule of a policy without a default', () => {
    const { results, coverage } = tested('tests: [{ action: a, expect: require_approval }]');
    expect(results).toMatchObject([{ passed: true, rule: null }]);
    expect(coverage).toEqual({ rules: [], default: { decide: null, tests: 1 } });
  });

  test('tell rules of one name apart', () => {
    const { results } = tested(
      'rules:',
      '  - { name: r, action: pay, when: payload.amount < 10, decide: allow }',
      '  - { name: r, action: pay, when: payload.to == "eve", decide: deny }',
      '  - { name: r, action: pay, decide: allow }',
      'tests:',
      '  - { action: pay, payload: { amount: 1 }, expect: allow }',
      '  - { action: pay, payload: { amount: 90, to: ann }, expect: allow }',
      '  - { name: in doubt the one that denies, action: pay, payload: { amount: 90 }, expect: deny }',
    );
    expect(results.map(({ rule, passed }) => [rule?.line, passed])).toEqual([
      [3, true],
      [5, true],
      [4, true],
    ]);
  });

  test('count for a rule that decides by not being told, too', () => {
    const { results } = tested(
      'default: allow',
      'rules: [{ name: small, action: pay, when: payload.amount < 10, decide: allow }]',
      'tests: [{ action: pay, expect: require_approval }]',
    );
    expect(results).toMatchObject([{ found: 'require_approval', rule: { name: 'small', line: 3 } }]);
  });
});

describe('a limit, or a budget', () => {
  test('has room in a test, and decides where its sum cannot be told', () => {
    const { results } = tested(
      'default: allow',
      'rules:',
      '  - name: paid',
      '    action: pay',
      '    decide: allow',
      '    limit: { count: 1, per: 1h, else: deny }',
      '    budget: { sum: payload.amount, max: 10, per: 1h, else: deny }',
      'tests:',
      '  - { action: pay, payload: { amount: 9 }, expect: allow }',
      '  - { action: pay, payload: { amount: 9 }, expect: allow }',
      '  - { action: pay, expect: deny }',
    );
    expect(results.map(({ rule, passed }) => [rule?.name, passed])).toEqual(Array(3).fill(['paid', true]));
  });
});

describe('a policy that cannot be tested', () => {
  test('has the problems that keep it from being accepted', () => {
    const text = 'version: 1\nrules: [{ action: a, decide: alow }]\ntests: [{ action: a, expect: deny }]';
    expect(testPolicy(text)).toEqual(parsePolicy(text));
    expect(testPolicy(text)).toMatchObject({ ok: false, problems: [{ line: 2, column: 30 }] });
  });

  test('may have more tests than its rules let it', () => {
    const rules = '  - { action: a, decide: deny }\n'.repeat(400);
    const tests = '  - { action: a, expect: deny }\n'.repeat(101);
    const found = testPolicy(`version: 1\nrules:\n${rules}tests:\n${tests}`);
    expect(found).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('at most 100') }],
    });
  });
});

const folder = join(import.meta.dirname, '../../examples/policies');

test.each(readdirSync(folder))('in examples/policies/%s all pass, and its acceptance says so too', (file) => {
  const text = readFileSync(join(folder, file), 'utf8');
  const found = testPolicy(text);
  expect(found).toMatchObject({ ok: true });
  expect(found.ok && found.results.filter(({ passed }) => !passed)).toEqual([]);
  expect(parsePolicy(text).ok).toBe(true);
});
