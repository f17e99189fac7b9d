import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { policyGrammar, ruleGrammar, scheduleGrammar, testGrammar } from './grammar.ts';
import { problemsOf } from './test-reading.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/policy.md'), 'utf8');
const examples = [...document.matchAll(/```yaml\n(?<text>.*?)```/gs)].map(
  ({ groups }) => groups?.['text'] ?? '',
);

describe('docs/policy.md', () => {
  test.each(examples.map((text, n) => [n + 1, text]))('example %d is a policy', (_, text) => {
    expect(problemsOf(text as string)).toBe('accepted');
  });

  const built = [policyGrammar, ruleGrammar, scheduleGrammar, testGrammar].flatMap(({ fields }) =>
    Object.entries(fields).flatMap(([name, standing]) => (standing === 'built' ? [name] : [])),
  );
  test.each([...new Set(built)])('tells of the field %s', (name) => {
    expect(document).toMatch(new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``));
  });
});
