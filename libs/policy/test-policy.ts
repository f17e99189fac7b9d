import { subjectOf } from './cel/subject.ts';
import { type CompiledPolicy, compile, firstMatch } from './compile.ts';
import { type Reading, readPolicyText } from './parse.ts';
import type { Problem } from './problems.ts';
import { isKept, runTests, type TestRun, testScope } from './run-tests.ts';
import type { Decide, Policy, Rule } from './types.ts';

export type PolicyTestResult = {
  name: string;
  line: number;
  action: string;
  expected: Decide;
  found: Decide;
  passed: boolean;
  /** The rule that decided; null where the default did, or nothing at all. */
  rule: { name: string; line: number } | null;
  reason: string;
};

/** How many tests each rule decided, in the order of the file, and how many none of them did. */
export type RuleCoverage = {
  rules: { name: string; line: number; tests: number }[];
  /** Null stands for a policy that has no default. */
  default: { decide: Decide | null; tests: number };
};

export type TestedPolicy =
  | { ok: false; problems: Problem[] }
  | { ok: true; policy: Policy; results: PolicyTestResult[]; coverage: RuleCoverage };

/** Runs the tests of a policy, and says of each what became of it. Never throws. */
export const testPolicy = (text: string, reading: Pick<Reading, 'sets' | 'whereFrom'> = {}): TestedPolicy => {
  const read = readPolicyText(text, reading);
  if (!read.ok) return read;
  const { source, policy, tests } = read;
  const runs = runTests(source, policy, tests);
  const problems = source.problems();
  if (problems.length > 0) return { ok: false, problems };
  const compiled = compile(policy);
  const decided = runs.map((run) => ({ run, rule: decisiveRule(compiled, run) }));
  return {
    ok: true,
    policy,
    results: decided.map(({ run, rule }) => resultOf(run, rule, source.line(run.test.at))),
    coverage: coverageOf(
      policy,
      decided.map(({ rule }) => rule),
    ),
  };
};

const resultOf = (run: TestRun, rule: Rule | null, line: number): PolicyTestResult => ({
  name: run.test.name,
  line,
  action: run.test.facts.action,
  expected: run.test.expect,
  found: run.verdict.decide,
  passed: isKept(run),
  rule: rule && {
    name: rule.set === undefined ? rule.name : `${rule.name} (set ${rule.set})`,
    line: rule.line,
  },
  reason: run.verdict.reason,
});

/** A verdict names its rule, and names may be there twice: it is the one of that name which this request met. */
const decisiveRule = (compiled: CompiledPolicy, { test, verdict }: TestRun): Rule | null => {
  if (verdict.rule === null) return null;
  const request = { scope: testScope, action: test.facts.action, subject: subjectOf(test.facts) };
  const { match, unsure } = firstMatch(compiled, request);
  const met = [...(match ? [{ rule: match.rule, decide: match.rule.decide }] : []), ...unsure];
  const called = met.filter(({ rule }) => rule.name === verdict.rule);
  return (called.find(({ decide }) => decide === verdict.decide) ?? called.at(-1))?.rule ?? null;
};

const coverageOf = (policy: Policy, decided: readonly (Rule | null)[]): RuleCoverage => {
  const testsOf = (rule: Rule | null) => decided.filter((one) => one === rule).length;
  return {
    // Those of a set are for the set's own tests to reach.
    rules: policy.rules
      .filter(({ set }) => set === undefined)
      .map((rule) => ({ name: rule.name, line: rule.line, tests: testsOf(rule) })),
    default: { decide: policy.default ?? null, tests: testsOf(null) },
  };
};
