import { approverText } from '@placet/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { policyOf, problemsOf, rule } from './test-reading.ts';

const asks = 'decide: require_approval';
const readOf = (value: string) => {
  const [read] = policyOf(rule(asks, `approvers: ${value}`)).rules;
  return { approvers: read?.approvers.map(approverText).join(' '), ways: read?.ways };
};

describe('groups of approvers are read into one form', () => {
  test.each<[string, string, string[][][] | undefined]>([
    ['["role:a", "role:b"]', 'role:a role:b', undefined],
    ['{ any: ["role:a", "role:b"] }', 'role:a role:b', undefined],
    ['["role:a", { any: ["role:b", { any: ["role:c"] }] }]', 'role:a role:b role:c', undefined],
    ['{ all: ["role:a"] }', 'role:a', undefined],
    ['{ all: [{ any: ["role:a", "role:b"] }] }', 'role:a role:b', undefined],
    ['["role:a", { all: [{ any: ["role:a", "role:b"] }] }]', 'role:a role:b', undefined],
    ['{ all: ["role:a", "role:b"] }', 'role:a role:b', [[['role:a'], ['role:b']]]],
    [
      '[ "role:a", { all: ["role:b", "role:c"] } ]',
      'role:a role:b role:c',
      [[['role:a']], [['role:b'], ['role:c']]],
    ],
    [
      '[ { all: ["role:a", "role:b"] }, "role:c", { any: ["user:D@e.f", "#g"] } ]',
      'role:a role:b role:c user:d@e.f #g',
      [[['role:a'], ['role:b']], [['role:c', 'user:d@e.f', '#g']]],
    ],
    [
      '{ all: [ { any: ["role:a", "role:b"] }, "pagerduty:C" ] }',
      'role:a role:b pagerduty:C',
      [[['role:a', 'role:b'], ['pagerduty:C']]],
    ],
    [
      '{ all: ["role:a", { all: ["role:b", { any: ["role:c", { any: ["role:d"] }] }] }] }',
      'role:a role:b role:c role:d',
      [[['role:a'], ['role:b'], ['role:c', 'role:d']]],
    ],
    [
      '{ any: [{ all: ["role:a", "role:b"] }, { all: ["role:a", "role:c"] }] }',
      'role:a role:b role:c',
      [
        [['role:a'], ['role:b']],
        [['role:a'], ['role:c']],
      ],
    ],
    [
      '{ all: [{ any: ["role:a", "role:b"] }, { any: ["role:b", "role:a"] }] }',
      'role:a role:b',
      [
        [
          ['role:a', 'role:b'],
          ['role:b', 'role:a'],
        ],
      ],
    ],
  ])('%s', (value, approvers, ways) => {
    expect(readOf(value)).toEqual({ approvers, ways });
  });

  test('whoever stands in a way is among those who are asked, and the other way round', () => {
    const leaf = fc.constantFrom('role:a', 'role:b', 'role:c', 'role:d', '#e', 'user:f@g.h');
    const leaves = fc.uniqueArray(leaf, { minLength: 1, maxLength: 3 });
    const place = fc.oneof(
      leaf,
      leaves.map((any) => ({ any })),
    );
    const groups = fc.array(
      fc.oneof(
        leaf,
        fc.array(place, { minLength: 1, maxLength: 3 }).map((all) => ({ all })),
      ),
      { minLength: 1, maxLength: 3 },
    );
    fc.assert(
      fc.property(groups, (written) => {
        const text = rule(asks, `approvers: ${JSON.stringify(written)}`);
        if (problemsOf(text) !== 'accepted') return;
        const [read] = policyOf(text).rules;
        const asked = read?.approvers.map(approverText) ?? [];
        expect(new Set(asked).size).toBe(asked.length);
        if (!read?.ways) return;
        expect(new Set(read.ways.flat(2))).toEqual(new Set(asked));
        expect(read.ways.some((way) => way.length > 1)).toBe(true);
        expect(read.ways.filter((way) => way.length === 1).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

const many = (count: number, itemOf: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => itemOf(n)).join(', ');

describe('is refused, with its place:', () => {
  test.each([
    [
      '{}',
      'column 16: approvers: a group has either any or all, as { all: ["role:manager", "role:security"] }',
    ],
    ['{ any: ["#a"], all: ["#b"] }', 'column 16: approvers: a group has either any or all'],
    ['{ al: ["#b"] }', 'column 18: unknown field "al" in a group of approvers: did you mean "all"?'],
    ['{ action: a }', 'column 18: unknown field "action" in a group of approvers: it belongs to a rule'],
    ['{ any: "#a" }', 'column 23: approvers: expected a list, as ["#approvals"], found the text "#a"'],
    ['[{ all: [] }]', 'column 24: approvers: expected at least 1, as ["#approvals"], found none'],
    ['[{ all: ["#a", bob] }]', 'column 31: approvers: expected "#channel", "role:NAME"'],
    ['[{ any: }]', 'column 19: any has no value'],
    [
      '[["#a"]]',
      'column 17: approvers: expected "#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE", found a list',
    ],
    ['[{ any: ["role:a", "role:a"] }]', 'column 35: approvers: "role:a" is listed twice'],
    ['["role:a", { any: ["role:a"] }]', 'column 35: approvers: "role:a" is listed twice'],
    ['{ all: ["role:a", { any: ["role:b", "role:b"] }] }', 'column 52: approvers: "role:b" is listed twice'],
    [
      '{ all: ["role:a", "role:a"] }',
      'column 34: approvers: "role:a" is listed twice: where two of them are needed, write "quorum: 2"',
    ],
    [
      '{ all: ["role:a", { all: ["role:a"] }] }',
      'column 42: approvers: "role:a" is listed twice: where two of them are needed, write "quorum: 2"',
    ],
    [
      '[{ all: ["role:a", "role:b"] }, { all: ["role:b", "role:a"] }]',
      'column 48: approvers: the same group is listed twice',
    ],
    [
      '{ all: ["role:a", { any: ["role:b", { all: ["role:c", "role:d"] }] }] }',
      'column 52: approvers: an "all" within an "any" within an "all" is too deep: write each way out',
    ],
    [`{ any: [${many(51, (n) => `"role:r${n}"`)}] }`, 'column 23: approvers: at most 50 approvers, found 51'],
    [
      `[${many(26, (n) => `{ all: ["role:a${n}", "role:b${n}"] }`)}]`,
      'column 16: approvers: at most 50 approvers, with those of its groups',
    ],
    [
      `[${many(21, (n) => `{ all: ["role:a", "role:b${n}"] }`)}]`,
      'column 16: approvers: at most 20 ways to be met, found 21',
    ],
    [
      `{ all: [${many(21, (n) => `"role:r${n}"`)}] }`,
      'column 16: approvers: at most 20 people for one way, found 21',
    ],
  ])('%s', (value, expected) => {
    expect(problemsOf(rule(asks, `approvers: ${value}`))).toContain(`line 5, ${expected}`);
  });

  test('a group that holds itself', () => {
    expect(problemsOf(rule(asks, 'approvers: &a [{ any: *a }]'))).toContain(
      'approvers: at most 50 approvers',
    );
    expect(problemsOf(rule(asks, 'approvers: &a { all: [*a, *a] }'))).toContain('at most 50 approvers');
  });

  test('a group in a rule that asks nobody', () => {
    expect(problemsOf(rule('decide: deny', 'approvers: { all: ["#a", "#b"] }'))).toContain(
      'line 5, column 5: approvers: only a rule that decides require_approval has approvers',
    );
  });
});

test('20 ways, and 20 people for one way, are not too many', () => {
  const ways = `[${many(19, (n) => `{ all: ["role:a", "role:b${n}"] }`)}, ${many(5, (n) => `"role:c${n}"`)}]`;
  expect(readOf(ways).ways).toHaveLength(20);
  expect(readOf(`{ all: [${many(20, (n) => `"role:r${n}"`)}] }`).ways?.[0]).toHaveLength(20);
});
