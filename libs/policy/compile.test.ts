import { cpuMsOf } from '@placet/testing/cpu.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subjectOf } from './cel/subject.ts';
import { type CompiledPolicy, candidates, compile, firstMatch } from './compile.ts';
import { matchGlob, parseGlob } from './glob.ts';
import { actionName, factsOf, policy } from './test-arbitraries.ts';
import type { Policy, Rule } from './types.ts';

const matchOf = (compiled: CompiledPolicy, action: string): Rule | undefined =>
  firstMatch(compiled, { scope: 'default', action, subject: subjectOf(factsOf(action)) }).match?.rule;

const rule = (action: string, line: number): Rule => ({
  name: `rule ${line}`,
  action,
  only: {},
  decide: 'deny',
  counters: [],
  approvers: [],
  line,
});

const policyOf = (...actions: string[]): Policy => ({
  version: 1,
  includes: [],
  rules: actions.map((a, n) => rule(a, n + 1)),
});

test('finds the rule that a scan from the top finds', () => {
  fc.assert(
    fc.property(policy, actionName, (policy, action) => {
      const scanned = policy.rules.find((rule) => matchGlob(parseGlob(rule.action), action));
      expect(matchOf(compile(policy), action)).toBe(scanned);
    }),
    { numRuns: 5_000 },
  );
});

test('offers candidates in the order of the file, and every rule that matches among them', () => {
  fc.assert(
    fc.property(policy, actionName, (policy, action) => {
      const lines = candidates(compile(policy), action).map(({ rule }) => rule.line);
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      for (const rule of policy.rules) {
        if (matchGlob(parseGlob(rule.action), action)) expect(lines).toContain(rule.line);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('given 200 rules for other actions, only the few that can match are looked at', () => {
  const others = Array.from({ length: 99 }, (_, n) => [`tool_${n}`, `area_${n}.*`]).flat();
  const compiled = compile(policyOf(...others, 'refund.*', '*'));
  const lookedAt = candidates(compiled, 'refund.card').map(({ rule }) => rule.action);
  expect(lookedAt).toEqual(['refund.*', '*']);
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'an action named %s is a name like any other',
  (action) => {
    expect(matchOf(compile(policyOf('refund')), action)).toBeUndefined();
    expect(matchOf(compile(policyOf('refund', action)), action)?.line).toBe(2);
  },
);

test('a name of 10 million characters is looked up in bounded time', () => {
  const compiled = compile(policyOf(...Array.from({ length: 200 }, (_, n) => `${'a'.repeat(n)}*b*c`)));
  const lookUp = () => expect(matchOf(compiled, 'a'.repeat(10_000_000))).toBeUndefined();
  expect(cpuMsOf(lookUp)).toBeLessThan(2_000);
});
