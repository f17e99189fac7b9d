import { describe, expect, test } from 'vitest';
import { policyOf, problemsOf, rule } from './test-reading.ts';

describe('a condition that is none is reported', () => {
  const wrong = 'is never equal to a whole number';
  test.each([
    ['written plainly', ['when: agent.id == 5'], `line 5, column 20: when: a text ${wrong}`],
    ['in double quotes', ['when: "agent.id == 5"'], `line 5, column 21: when: a text ${wrong}`],
    ['in single quotes', ["when: 'agent.id == 5'"], `line 5, column 21: when: a text ${wrong}`],
    [
      'with escapes',
      ['when: "agent.id == \\u0035"'],
      `line 5, column 11: when: a text ${wrong} (at character 10 of it)`,
    ],
    [
      'over lines',
      ['when: >-', '  agent.id', '  == 5'],
      `line 5, column 11: when: a text ${wrong} (at character 10 of it)`,
    ],
    ['where it begins to be none', ['when: agent.id =='], 'line 5, column 20: when: not valid CEL'],
    [
      'that is no text',
      ['when: true'],
      'line 5, column 11: when: expected a condition, found true: write it as a text, "true"',
    ],
    ['that is a list', ['when: [a]'], 'line 5, column 11: when: expected a condition, found a list'],
    ['empty', ['when: ""'], 'line 5, column 11: when: not valid CEL: something has to follow here'],
  ])('%s', (_, fields, expected) => {
    expect(problemsOf(rule('decide: deny', ...fields))).toContain(expected);
  });

  test('and one that is right is part of the rule', () => {
    const [only] = policyOf(rule('decide: deny', 'when: "true"')).rules;
    expect(only?.when?.text).toBe('true');
  });
});
