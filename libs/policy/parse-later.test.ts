import { describe, expect, test } from 'vitest';
import { problemsOf, rule } from './test-reading.ts';

describe('a policy never means less than it says: what is not built yet is refused', () => {
  const notYet = 'is part of the policy language, but this version does not build it yet';

  test.each([
    ['remind', '[50%]'],
    ['escalate', '[{ after: 5m, to: ["role:oncall"] }]'],
    ['editable', '[payload.a]'],
    ['choices', '[{ name: retry, means: allow }]'],
    ['only_in', '[inbox]'],
  ])('%s in a rule', (field, value) => {
    expect(problemsOf(rule('decide: deny', `${field}: ${value}`))).toContain(
      `line 5, column 5: "${field}" ${notYet}`,
    );
  });

  test('pagerduty among the approvers', () => {
    const text = rule('decide: require_approval', 'approvers: ["#a", "pagerduty:airline"]');
    expect(problemsOf(text)).toContain(`line 5, column 23: approvers: "pagerduty:" ${notYet}`);
  });
});
