import { compileLayer } from './compile.ts';
import { useId } from './counters.ts';
import { look } from './evaluate.ts';
import type { PolicyTest } from './policy-tests.ts';
import { quote } from './problems.ts';
import type { Policy, Verdict } from './types.ts';
import type { Source } from './yaml.ts';

/** A test, and what the policy says to its request. */
export type TestRun = { test: PolicyTest; verdict: Verdict };

/** How many rules all tests of a policy may have to look at, and how many values of payloads with them. */
const judgementsMax = 40_000;
const valuesMax = 500_000;

/** A test asks this policy alone, as if it were the one for all who have none of their own. */
export const testScope = 'default';

/** Where tests are too many for the rules none is run, and that is a problem of the policy. */
export const runTests = (source: Source, policy: Policy, tests: readonly PolicyTest[]): TestRun[] => {
  const [first] = tests;
  if (!first) return [];
  if (tests.length * policy.rules.length > judgementsMax) {
    const most = Math.floor(judgementsMax / policy.rules.length);
    source.problem(first.at, 'tests', `tests: at most ${most} for a policy of ${policy.rules.length} rules`);
    return [];
  }
  const values = policy.rules.length * tests.reduce((sum, { size }) => sum + size, 0);
  if (values > valuesMax) {
    const most = Math.floor(valuesMax / policy.rules.length);
    const message = `tests: at most ${most} values in their payloads together, for a policy of ${policy.rules.length} rules`;
    source.problem(first.at, 'tests', message);
    return [];
  }
  const layer = compileLayer({ scope: testScope, digest: '', revision: 0, policy });
  return tests.map((test) => {
    const verdictWith = look([layer], test.facts);
    const verdict = verdictWith();
    if (test.spent === undefined) return { test, verdict };
    if (!policy.rules.some(({ name, counters }) => name === test.spent && counters.length > 0))
      source.problem(test.at, test.path, `spent: no rule ${quote(test.spent)} has a limit or a budget`);
    const spent = verdict.uses.filter(({ rule }) => rule === test.spent);
    const seen = new Map(spent.map((use) => [useId(use), 'over'] as const));
    return { test, verdict: verdictWith(seen) };
  });
};

export const isKept = ({ test, verdict }: TestRun): boolean => verdict.decide === test.expect;

/** Every test that the policy does not keep is a problem of the policy. */
export const reportFailures = (source: Source, runs: readonly TestRun[]): void => {
  for (const run of runs) {
    if (isKept(run)) continue;
    const { name, expect, at, path } = run.test;
    const { decide, reason } = run.verdict;
    source.problem(at, path, `the test ${quote(name)} expects ${expect}, and it is ${decide}: ${reason}`);
  }
};
