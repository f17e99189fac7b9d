import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { grammars } from './grammar.ts';
import { formatProblems, parsePolicy } from './index.ts';

const document = readFileSync(join(import.meta.dirname, '../../docs/policy.md'), 'utf8');
const examples = [...document.matchAll(/```yaml\n(?<text>.*?)```/gs)].map(
  ({ groups }) => groups?.['text'] ?? '',
);

/** Every name that a value of YAML holds, however deep. */
const fieldsIn = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(fieldsIn);
  return Array.isArray(value) ? below : [...Object.keys(value), ...below];
};

describe('docs/policy.md', () => {
  const sets = new Map(
    examples.flatMap((text) => [...text.matchAll(/^# set:(.*)$/gm)].map(([, name = '']) => [name, text])),
  );

  test.each(examples.map((text, n) => [n + 1, text]))('example %d is a policy', (_, text) => {
    const parsed = parsePolicy(text as string, { sets, isSet: /^# set:/.test(text as string) });
    expect(parsed.ok ? 'accepted' : formatProblems(parsed.problems)).toBe('accepted');
  });

  const fields = new Set(examples.flatMap((text) => fieldsIn(parse(text))));
  test.each([...new Set(grammars.flatMap((grammar): readonly string[] => grammar.fields))])(
    'tells of the field %s, and has an example of it',
    (name) => {
      expect(document).toMatch(new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``));
      expect(fields).toContain(name);
    },
  );
});
