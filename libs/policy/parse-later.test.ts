import { expect, test } from 'vitest';
import { problemsOf, rule } from './test-reading.ts';

test('a policy never means less than it says: what is not built yet is refused', () => {
  const notYet = 'is part of the policy language, but this version does not build it yet';
  expect(problemsOf(rule('decide: deny', 'only_in: [inbox]'))).toContain(
    `line 5, column 5: "only_in" ${notYet}`,
  );
});
