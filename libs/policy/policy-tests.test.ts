import { describe, expect, test } from 'vitest';
import { policyOf, problemsOf } from './test-reading.ts';

const rules = `version: 1
rules:
  - name: small
    action: refund.*
    when: payload.amount < 50 && agent.id == "support"
    decide: allow
  - name: by day
    action: deploy
    schedule: { hours: "09:00-18:00", zone: UTC }
    tool: ci.*
    decide: allow
default: require_approval
tests:
`;

describe('tests in a policy', () => {
  test('that it keeps leave it as it is', () => {
    const text = `${rules}
  - { name: small ones, action: refund.create, payload: { amount: 49.5 }, agent: support, expect: allow }
  - { action: refund.create, payload: { amount: 50 }, agent: support, expect: require_approval }
  - { action: refund.create, payload: { amount: 1 }, agent: sales, expect: require_approval }
  - { action: refund.create, expect: require_approval }
  - { action: deploy, tool: ci.run, now: "2026-03-02T09:00:00Z", expect: allow }
  - { action: deploy, tool: ci.run, now: "2026-03-02T08:59:00Z", expect: require_approval }
  - { action: deploy, now: "2026-03-02T09:00:00Z", tags: [x], expect: require_approval }
`;
    expect(policyOf(text).rules).toHaveLength(2);
  });

  test('that it does not keep refuse it, and say what it decides and why', () => {
    const text = `${rules}  - { name: large ones, action: refund.create, payload: { amount: 500 }, agent: support, expect: allow }
  - { action: deploy, tool: ci.run, now: "2026-03-02T12:00:00Z", expect: deny }
`;
    expect(problemsOf(text)).toBe(
      [
        'line 14, column 5: the test "large ones" expects allow, and it is require_approval: no rule of the policy default matches, and its default asks people',
        'line 15, column 5: the test "deny for deploy" expects deny, and it is allow: matched rule "by day"',
      ].join('\n'),
    );
  });

  test('are not run where the policy has another problem', () => {
    const text = `${rules.replace('decide: allow', 'decide: alow')}  - { action: deploy, expect: deny }\n`;
    expect(problemsOf(text)).toMatch(/^line 6, column 13: decide: expected [^\n]*$/);
  });

  test.each([
    ['tests: x', 'tests: expected a list, found the text "x"'],
    ['tests: [x]', 'expected a test with action and expect, found the text "x"'],
    ['tests: [{ action: a }]', 'a test needs expect: allow, deny or require_approval'],
    ['tests: [{ expect: deny }]', 'a test needs action'],
    ['tests: [{ action: a, expect: maybe }]', 'expect: expected allow, deny or require_approval'],
    ['tests: [{ action: a, expect: deny, now: today }]', 'now: expected a moment, as "2026-03-02T10:00:00Z"'],
    [
      'tests: [{ action: a, expect: deny, paylod: {} }]',
      'unknown field "paylod" in a test: did you mean "payload"?',
    ],
    ['tests: [{ action: a, expect: deny, payload: { x: 1, x: 2 } }]', '"x" is written twice'],
    [`tests: [${'{ action: a, expect: deny },'.repeat(201)}]`, 'tests: at most 200 tests, found 201'],
    [
      `tests: [{ action: a, expect: deny, payload: { l: [${'1,'.repeat(1001)}] } }]`,
      'at most 1000 values in one test',
    ],
  ])('%s is refused', (tests, expected) => {
    expect(problemsOf(`version: 1\ndefault: deny\n${tests}`)).toContain(expected);
  });

  test('are bounded together with the rules that they look at', () => {
    const many = `version: 1\nrules:\n${'  - { action: a, when: payload.x == 1, decide: deny }\n'.repeat(400)}`;
    const of = (count: number) =>
      `${many}tests:\n${'  - { action: b, payload: {}, expect: require_approval }\n'.repeat(count)}`;
    expect(problemsOf(of(100))).toBe('accepted');
    expect(problemsOf(of(101))).toContain('tests: at most 100 for a policy of 400 rules');
  });

  test('with aliases that multiply are bounded', () => {
    const bomb = Array.from({ length: 9 }, (_, n) =>
      n === 0 ? 'a0: &a0 [1, 2]' : `a${n}: &a${n} [${`*a${n - 1}, `.repeat(8)}]`,
    );
    const text = `version: 1\ndefault: deny\ntests: [{ action: a, expect: deny, payload: { ${bomb.join(', ')} } }]`;
    expect(problemsOf(text)).toContain('at most 1000 values in one test');
  });
});

describe('a test of a rule whose limit is used up', () => {
  const limited = (...tests: string[]) =>
    [
      'version: 1',
      'rules:',
      '  - { name: few, action: pay, decide: allow, limit: { count: 3, per: 1h, else: deny } }',
      'tests:',
      ...tests,
    ].join('\n');

  test('asks what it decides then', () => {
    expect(
      problemsOf(
        limited('  - { action: pay, expect: allow }', '  - { action: pay, spent: few, expect: deny }'),
      ),
    ).toBe('accepted');
    expect(problemsOf(limited('  - { action: pay, spent: few, expect: allow }'))).toContain(
      'expects allow, and it is deny: the limit of the rule "few" is used up (3 per 1h)',
    );
  });

  test('names a rule that counts', () => {
    expect(problemsOf(limited('  - { action: pay, spent: fwe, expect: allow }'))).toContain(
      'spent: no rule "fwe" has a limit or a budget',
    );
  });
});

test.each([
  ['eu', 'tags: expected a list, found the text "eu"'],
  ['[7]', 'tags: expected a text, found the number 7'],
])('tags: %s in a test is refused', (tags, expected) => {
  expect(
    problemsOf(`version: 1\ndefault: deny\ntests: [{ action: a, tags: ${tags}, expect: deny }]\n`),
  ).toContain(expected);
});
