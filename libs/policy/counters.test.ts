import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLayer } from './compile.ts';
import { millionths, useId } from './counters.ts';
import { evaluate } from './evaluate.ts';
import type { ActionFacts } from './facts.ts';
import { factsOf } from './test-arbitraries.ts';
import { layer } from './test-judging.ts';
import { policyOf, problemsOf } from './test-reading.ts';

const named = (...fields: string[]): string =>
  [
    'version: 1',
    'rules:',
    '  - name: small',
    '    action: pay',
    ...fields.map((field) => `    ${field}`),
  ].join('\n');
const allows = 'decide: allow';
const limit = 'limit: { count: 10, per: 1h, by: payload.customer, else: deny }';
const budget = 'budget: { sum: payload.amount, max: 500.5, per: 24h, by: agent.id }';

const layerOf = (...fields: string[]) =>
  compileLayer(
    layer(
      'default',
      ...named(allows, ...fields)
        .split('\n')
        .slice(1),
    ),
  );
const facts = (payload: unknown, more: Partial<ActionFacts> = {}) => factsOf('pay', { payload, ...more });

describe('what a rule counts', () => {
  test('is read with its window and its bound', () => {
    expect(policyOf(named(allows, limit, budget)).rules[0]?.counters).toMatchObject([
      { kind: 'limit', max: 10n, perMs: 3_600_000, label: '10 per 1h', otherwise: 'deny' },
      {
        kind: 'budget',
        max: 500_500_000n,
        perMs: 86_400_000,
        label: '500.5 per 24h',
        otherwise: 'require_approval',
      },
    ]);
  });

  test('goes with the settings of what it decides when it is used up', () => {
    const asking = ['approvers: ["role:finance"]', 'quorum: 2', 'timeout: 5m'];
    expect(problemsOf(named(allows, 'limit: { count: 1, per: 1h }', ...asking))).toBe('accepted');
    expect(problemsOf(named(allows, 'limit: { count: 1, per: 1h, else: deny }', ...asking))).toContain(
      'quorum: only a rule that decides require_approval has it, this one decides allow or deny',
    );
  });

  test.each([
    ['limit: 10', 'limit: expected a map, as { count: 10, per: 1h }, found the number 10'],
    ['limit: { per: 1h }', 'a limit needs count: how often, as 10'],
    [
      'limit: { count: 0, per: 1h }',
      'count: expected a whole number from 1 to 1000000000, found the number 0',
    ],
    ['limit: { count: 1.5, per: 1h }', 'count: expected a whole number'],
    ['limit: { count: 1 }', 'a limit needs per: a span, as "1h"'],
    [
      'limit: { count: 1, per: 1y }',
      'per: expected a span from "1s" to "31d", as "15m", found the text "1y"',
    ],
    ['limit: { count: 1, per: 32d }', 'per: expected a span'],
    [
      'limit: { count: 1, per: 1h, else: allow }',
      'else: expected require_approval or deny, found the text "allow"',
    ],
    ['limit: { count: 1, per: 1h, by: customer }', 'line 6, column 37: by: unknown name "customer"'],
    [
      'limit: { count: 1, per: 1h, by: "[1]" }',
      'by: what is counted by is a text, a number, true or false, and this is a list',
    ],
    [
      'limit: { count: 1, per: 1h, by: 7 }',
      'by: expected an expression, found the number 7: write it as a text, "7"',
    ],
    ['limit: { cuont: 1, per: 1h }', 'unknown field "cuont" in a limit: did you mean "count"?'],
    ['limit: { max: 1, per: 1h }', 'unknown field "max" in a limit: it belongs to a budget'],
    ['budget: { max: 5, per: 1h }', 'a budget needs sum: what is added up, as payload.amount'],
    ['budget: { sum: payload.amount, per: 1h }', 'a budget needs max: how much, as 500'],
    ['budget: { sum: \'"x"\', max: 5, per: 1h }', 'sum: what is added up is a number, and this is a text'],
    [
      'budget: { sum: uint(payload.amount), max: 5, per: 1h }',
      'sum: what is added up is a number, and this is an unsigned number',
    ],
    ['budget: { sum: payload.amount, max: 0, per: 1h }', 'max: expected a number up to 1000000000000'],
    ['budget: { sum: payload.amount, max: 0.0000001, per: 1h }', 'with at most 6 decimals'],
    ['budget: { sum: payload.amount, max: .inf, per: 1h }', 'max: expected a number'],
  ])('%s is refused, with what is expected', (field, expected) => {
    expect(problemsOf(named(allows, field))).toContain(expected);
  });

  test('is only for a rule that allows', () => {
    expect(problemsOf(named('decide: deny', 'limit: { count: 1, per: 1h }'))).toBe(
      'line 6, column 5: limit: it counts what a rule allows by itself, and this one decides deny',
    );
  });

  test('needs a name that no other rule counts under', () => {
    const text = `version: 1
rules:
  - { action: a, decide: allow, limit: { count: 1, per: 1h } }
  - { name: two, action: b, decide: allow, limit: { count: 1, per: 1h } }
  - { name: two, action: c, decide: allow, budget: { sum: payload.a, max: 1, per: 1h } }
`;
    expect(problemsOf(text)).toBe(
      'line 1, column 1: line 5 counts under the name "two", and line 4 too: give each its own\n' +
        'line 3, column 33: limit: the rule needs a name, under which it is counted',
    );
  });
});

describe('what a request would use', () => {
  const usesOf = (payload: unknown, ...fields: string[]) =>
    evaluate([layerOf(...fields)], facts(payload)).uses;

  test('of a limit one, of a budget its sum in millionths', () => {
    expect(usesOf({ customer: 'c-1', amount: 49.99 }, limit, budget)).toMatchObject([
      { scope: 'default', rule: 'small', kind: 'limit', key: 's:c-1', units: 1n, max: 10n },
      { kind: 'budget', key: 's:support', units: 49_990_000n, max: 500_500_000n },
    ]);
  });

  test.each([
    ['a number and the same as a text are counted apart', 7, '7', false],
    ['true and its text are counted apart', true, 'true', false],
    ['nothing and less than nothing are one', 0, -0, true],
    ['other customers are counted apart', 'a', 'b', false],
  ])('%s', (_, one, other, isSame) => {
    const [first, second] = [one, other].map((customer) => usesOf({ customer }, limit).map(useId));
    expect(first?.[0] === second?.[0]).toBe(isSame);
  });

  test('stays the same count when only the bound changes, and not when what is counted does', () => {
    const idOf = (field: string) => usesOf({ customer: 'c', amount: 1 }, field).map(useId)[0];
    const at = idOf('budget: { sum: payload.amount, max: 5, per: 1h }');
    expect(idOf('budget: { sum: payload.amount, max: 9, per: 60m, else: deny }')).toBe(at);
    expect(idOf('budget: { sum: payload.amount * 2.0, max: 5, per: 1h }')).not.toBe(at);
    expect(idOf('budget: { sum: payload.amount, max: 5, per: 2h }')).not.toBe(at);
    expect(idOf('budget: { sum: payload.amount, max: 5, per: 1h, by: agent.id }')).not.toBe(at);
  });

  test('is nothing where another layer does not allow', () => {
    const holds = compileLayer(layer('guardrail', 'default: require_approval'));
    const verdict = evaluate([holds, layerOf(limit)], facts({ customer: 'c' }));
    expect(verdict).toMatchObject({ decide: 'require_approval', uses: [] });
  });

  test('of both layers that allow is counted', () => {
    const other = compileLayer(
      layer(
        'guardrail',
        'rules:',
        '  - { name: all, action: "*", decide: allow, limit: { count: 9, per: 1m } }',
      ),
    );
    const { uses } = evaluate([other, layerOf(limit)], facts({ customer: 'c' }));
    expect(uses.map(({ scope, rule }) => [scope, rule])).toEqual([
      ['guardrail', 'all'],
      ['default', 'small'],
    ]);
  });

  test('never adds up to nothing, however small the sums', () => {
    expect(millionths(0.0000001)).toBe(1n);
    expect(millionths(0)).toBe(0n);
    expect(millionths(1.1)).toBe(1_100_000n);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (value) => {
        const units = millionths(value);
        expect(Number(units) / 1e6).toBeGreaterThanOrEqual(value * (1 - Number.EPSILON));
        expect(units >= 0n && (value === 0 || units > 0n)).toBe(true);
      }),
    );
  });
});

describe('what cannot be counted is not allowed', () => {
  const verdictOf = (payload: unknown, ...fields: string[]) => evaluate([layerOf(...fields)], facts(payload));

  test.each([
    [{ amount: -1 }, 'what it adds up is less than nothing'],
    [{ amount: 'ten' }, 'what it adds up is not a number'],
    [{}, 'field not found: amount'],
  ])('%j', (payload, why) => {
    expect(verdictOf(payload, budget)).toMatchObject({
      decide: 'require_approval',
      rule: 'small',
      reason: `it cannot be told whether the rule "small" matches: ${why}`,
      uses: [],
    });
  });

  test.each([[{}], [{ customer: null }], [{ customer: ['a'] }]])(
    'by %j, where the rule denies then',
    (payload) => {
      expect(verdictOf(payload, limit)).toMatchObject({ decide: 'deny', rule: 'small', uses: [] });
    },
  );

  test.each([501, 1e300])('%d, which is more than the whole budget, whatever is left of it', (amount) => {
    expect(verdictOf({ amount }, budget)).toMatchObject({
      decide: 'require_approval',
      reason: 'the budget of the rule "small" has no room for this (500.5 per 24h)',
      uses: [],
    });
  });
});

describe('a counter that is used up', () => {
  const payload = { customer: 'c', amount: 5 };
  const seen = (why: 'over' | 'unreadable', ...fields: string[]) => {
    const compiled = layerOf(...fields);
    const { uses } = evaluate([compiled], facts(payload));
    const last = uses.at(-1);
    return evaluate([compiled], facts(payload), new Map(last ? [[useId(last), why]] : []));
  };

  test('makes its rule decide what it says then, and says so', () => {
    expect(seen('over', limit)).toMatchObject({
      decide: 'deny',
      rule: 'small',
      reason: 'the limit of the rule "small" is used up (10 per 1h)',
      uses: [],
    });
  });

  test('asks those whom the rule names', () => {
    const verdict = seen('over', budget, 'approvers: ["role:finance"]', 'quorum: 2');
    expect(verdict).toMatchObject({ decide: 'require_approval' });
    expect(verdict.demands).toMatchObject([{ approvers: [{ kind: 'role', role: 'finance' }], quorum: 2 }]);
  });

  test('that cannot be read is as one that is used up', () => {
    expect(seen('unreadable', budget)).toMatchObject({
      decide: 'require_approval',
      reason: 'the budget of the rule "small" (500.5 per 24h) cannot be counted now',
    });
  });

  test('among others in one rule, the strictest decides', () => {
    const compiled = layerOf(budget, limit);
    const all = evaluate([compiled], facts(payload)).uses.map((use) => [useId(use), 'over'] as const);
    expect(evaluate([compiled], facts(payload), new Map(all)).decide).toBe('deny');
  });
});
