import { cpuMsOf } from '@placet/testing/cpu.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblems, parsePolicy } from './index.ts';
import { problemsMax, textBytesMax } from './limits.ts';

// What is not bounded takes minutes, or the process.
const cpuMsMax = 20_000;

const refusedInTime = (text: string): string => {
  let parsed = parsePolicy('version: 1');
  const ms = cpuMsOf(() => {
    parsed = parsePolicy(text);
  });
  expect(ms).toBeLessThan(cpuMsMax);
  if (parsed.ok) return 'accepted';
  expect(parsed.problems.length).toBeGreaterThan(0);
  expect(parsed.problems.length).toBeLessThanOrEqual(problemsMax);
  return formatProblems(parsed.problems);
};

const fill = (unit: string): string => unit.repeat(Math.floor((textBytesMax - 100) / unit.length));

const laughs = [
  'a: &a [lol, lol]',
  ...Array.from('bcdefghij', (name, n) => {
    const before = 'abcdefghij'[n];
    return `${name}: &${name} [${Array(10).fill(`*${before}`)}]`;
  }),
].join('\n');

describe('hostile texts are refused in bounded time', () => {
  test.each([
    ['10 MB', 'a'.repeat(10_000_000), 'longer than 256 KB'],
    ['more bytes than characters', 'é'.repeat(textBytesMax / 2 + 1), 'longer than 256 KB'],
    ['10,000 nested lists', '['.repeat(10_000), 'nested more than 20 levels deep'],
    [
      '10,000 nested lists, closed',
      '['.repeat(10_000) + ']'.repeat(10_000),
      'nested more than 20 levels deep',
    ],
    ['lists nested to the limit of the text', fill('['), 'nested more than 20 levels deep'],
    ['nested maps', fill('{a: '), 'nested more than 20 levels deep'],
    ['nested dashes', fill('- '), 'nested more than 20 levels deep'],
    ['nested question marks', fill('? '), 'nested more than 20 levels deep'],
    ['an alias bomb', `version: 1\n${laughs}`, 'unknown field "a"'],
    ['an alias bomb of rules', `version: 1\nrules: &r [${'*r,'.repeat(3_000)}]`, 'more than 100 aliases'],
    ['anchors', fill('&a '), 'more than 100 anchors'],
    ['keys', Array.from({ length: 20_000 }, (_, n) => `key${n}: 1`).join('\n'), 'more than 4000 entries'],
    ['the same key', `version: 1\n${'a: 1\n'.repeat(3_000)}`, '"a" is written twice'],
    ['documents', fill('---\n'), 'expected one document'],
    ['commas', `[${fill(',')}`, 'Unexpected ,'],
    ['closing brackets', fill(']'), 'not valid YAML'],
    ['spaces in quotes', `version: "${fill(' ')}"`, 'expected the number 1'],
    ['digits', `version: ${fill('9')}`, 'expected the number 1'],
    ['empty lines', fill('\n'), 'the policy is empty'],
    ['a quote left open', `version: '${fill('\n')}`, 'Missing closing'],
    ['bad rules', `version: 1\nrules:\n${'- 7\n'.repeat(2_000)}`, 'expected a rule'],
    [
      'patterns without end',
      `version: 1\nrules:\n${Array.from({ length: 1_900 }, (_, n) => `- { action: a, when: 'payload.a.matches("(a|${n}){1,10}x{1,30}")', decide: deny }`).join('\n')}`,
      'at most 200 patterns of matches in one policy',
    ],
    [
      'conditions without end',
      `version: 1\nrules:\n${`- { action: a, when: "${'('.repeat(19)}1${')'.repeat(19)}", decide: deny }\n`.repeat(2_000)}`,
      'a condition is true or false',
    ],
    [
      'patterns that repeat without end',
      `version: 1\nrules:\n- { action: a, when: 'payload.a.matches("(a|b){500}(c|d){500}")', decide: deny }`,
      'with its repetitions written out it has more than 500 parts',
    ],
    [
      'blanks in a condition',
      `version: 1\nrules:\n${`- { action: a, when: '1>0${' '.repeat(1_900)}', decide: deny }\n`.repeat(130)}`,
      'a condition has at most 49 blanks in a row',
    ],
    [
      'paths without end',
      `version: 1\nrules:\n- { action: a, when: 'payload${'.a'.repeat(250)} == 1', decide: deny }`,
      'a path has at most 20 steps',
    ],
    [
      'conditions that hold too much together',
      `version: 1\nrules:\n${`- { action: a, when: '${'payload.a == 1 || '.repeat(50)}payload.b == 2', decide: deny }\n`.repeat(200)}`,
      'the conditions of one policy have at most 20000 parts together',
    ],
    [
      'tests of large payloads',
      `version: 1\nrules:\n${'- { action: a, decide: deny }\n'.repeat(200)}tests:\n- &t { action: a, payload: { l: [${'1,'.repeat(900)}] }, expect: deny }\n${'- *t\n'.repeat(20)}`,
      'tests: at most 2500 values in their payloads together, for a policy of 200 rules',
    ],
    [
      '2,001 rules',
      `version: 1\nrules:\n${'- { action: a, decide: deny }\n'.repeat(2_001)}`,
      'at most 2000 rules, found 2001',
    ],
  ])('%s', (_, text, expected) => {
    expect(refusedInTime(text)).toContain(expected);
  });

  test('2,000 rules are accepted', () => {
    const text = `version: 1\nrules:\n${'- { action: "a*a*b", decide: require_approval, approvers: ["#c"] }\n'.repeat(2_000)}`;
    expect(refusedInTime(text)).toBe('accepted');
  });
});

test('a problem is one line, however its text is written', () => {
  const message = refusedInTime('version: 1\n"line 9, column 9: fine\\n\\u2028\\u0007": 1');
  expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(refusedInTime(`version: 1\n${'k'.repeat(900)}: 1`).length).toBeLessThan(300);
});

test('whatever the text, it is a policy or has problems with a place', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'version: 1\n',
      'rules:',
      '- ',
      'action: a',
      'decide: deny',
      'approvers: ',
      'default: ',
      'name: ',
    ),
    fc.constantFrom(
      '\n',
      '\n  ',
      '{',
      '}',
      '[',
      ']',
      ',',
      ': ',
      '? ',
      '*a',
      '&a ',
      '"',
      "'",
      '#',
      '|\n',
      '>\n',
      '!t ',
    ),
    fc.constantFrom('%', '---\n', '...\n', '\t', '<<', '~', '\\', '\u0000', '\ud800', '\r', '__proto__: '),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const text = pieces.join('');
      const parsed = parsePolicy(text);
      if (parsed.ok) return;
      expect(parsed.problems.length).toBeGreaterThan(0);
      for (const { line, column, message } of parsed.problems) {
        expect(line).toBeGreaterThanOrEqual(1);
        expect(line).toBeLessThanOrEqual(text.split('\n').length);
        expect(column).toBeGreaterThanOrEqual(1);
        expect(message).not.toBe('');
      }
    }),
    { numRuns: 5_000 },
  );
});
