import { cpuMsOf } from '@placet/testing/cpu.ts';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesBetween, diffTexts } from './text-diff.ts';

const diff = (from: string, to: string) =>
  diffTexts({ name: 'default@1', text: from }, { name: 'default@2', text: to });
const linesOf = (text: string) => (text === '' ? [] : text.split(/(?<=\n)/));

/** Reads a unified diff as `patch` does, and applies it; whatever does not fit the text throws. */
function patched(text: string, unified: string): string {
  const from = linesOf(text);
  const to: string[] = [];
  let position = 0;
  const [, , ...lines] = linesOf(unified.replaceAll('\n\\ No newline at end of file\n', '\u0000\n'));
  for (const line of lines) {
    const header = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n$/.exec(line);
    if (header) {
      const [start, count, toStart, toCount] = header.slice(1).map((n) => Number(n ?? 1)) as number[];
      const upTo = count === 0 ? start : (start ?? 0) - 1;
      to.push(...from.slice(position, upTo));
      position = upTo ?? 0;
      expect(to.length).toBe(toCount === 0 ? toStart : (toStart ?? 0) - 1);
      continue;
    }
    const content = line.slice(1).replace('\u0000\n', '');
    if (line[0] !== '+') expect(from[position++]).toBe(content);
    if (line[0] !== '-') to.push(content);
  }
  return [...to, ...from.slice(position)].join('');
}

/** The longest common subsequence by the table, which is slow and plain. */
function commonLines(a: string[], b: string[]): number {
  const table = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number) => table[i]?.[j] ?? 0;
  for (const [i, line] of a.entries()) {
    for (const [j, other] of b.entries()) {
      const row = table[i + 1] as number[];
      row[j + 1] = line === other ? at(i, j) + 1 : Math.max(at(i, j + 1), at(i + 1, j));
    }
  }
  return at(a.length, b.length);
}

/** Texts that have much in common, and what is hard in them: empty lines, no line feed at the end, carriage returns. */
const line = fc.constantFrom(
  '',
  'a',
  'b',
  'c',
  'rules:',
  '- x',
  '+ y',
  '@@ -1 +1 @@',
  '\r',
  '\u2028',
  '\\ No',
);
const text = fc
  .tuple(fc.array(line, { maxLength: 25 }), fc.boolean())
  .map(([lines, isEnded]) => lines.join('\n') + (isEnded ? '\n' : ''));

describe('a diff of two texts', () => {
  test('applied to the one gives the other, whatever they are', () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        expect(patched(from, diff(from, to).diff)).toBe(to);
      }),
      { numRuns: 2000 },
    );
  });

  test('is as short as can be, and counts its lines', () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const { added, removed, diff: unified } = diff(from, to);
        const [fromLines, toLines] = [linesOf(from), linesOf(to)];
        const common = commonLines(fromLines, toLines);
        expect({ added, removed }).toEqual({
          added: toLines.length - common,
          removed: fromLines.length - common,
        });
        const body = linesOf(unified).slice(2);
        const count = (mark: string) => body.filter((one) => one.startsWith(mark)).length;
        expect({ added: count('+'), removed: count('-') }).toEqual({ added, removed });
      }),
      { numRuns: 2000 },
    );
  });

  test('with itself is empty', () => {
    fc.assert(
      fc.property(text, (same) => {
        expect(diff(same, same)).toEqual({ diff: '', added: 0, removed: 0 });
      }),
    );
  });

  test('has the form of every unified diff', () => {
    const from = 'version: 1\nrules:\n  - action: a\n    decide: allow\n  - action: b\n    decide: deny\n';
    const to =
      'version: 1\nrules:\n  - action: a\n    decide: deny\n  - action: b\n    decide: deny\ndefault: deny';
    expect(diff(from, to)).toEqual({
      added: 2,
      removed: 1,
      diff: [
        '--- default@1',
        '+++ default@2',
        '@@ -1,6 +1,7 @@',
        ' version: 1',
        ' rules:',
        '   - action: a',
        '-    decide: allow',
        '+    decide: deny',
        '   - action: b',
        '     decide: deny',
        '+default: deny',
        '\\ No newline at end of file',
        '',
      ].join('\n'),
    });
  });

  test('shows distant changes in hunks of their own', () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`);
    const { diff: unified } = diff(
      lines.join(''),
      lines.with(4, 'five\n').with(11, 'twelve\n').with(25, '').join(''),
    );
    expect(unified.match(/^@@.*@@$/gm)).toEqual(['@@ -2,14 +2,14 @@', '@@ -23,7 +23,6 @@']);
  });

  test('from nothing, and to nothing, names the line before the first', () => {
    expect(diff('', 'a\nb\n').diff).toContain('@@ -0,0 +1,2 @@\n+a\n+b\n');
    expect(diff('a\n', '').diff).toContain('@@ -1 +0,0 @@\n-a\n');
  });

  test('sees a line feed that is missing at the end', () => {
    expect(diff('a\n', 'a')).toEqual({
      added: 1,
      removed: 1,
      diff: '--- default@1\n+++ default@2\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n',
    });
  });
});

describe('texts of 256 KB that are made to take long', () => {
  const bytes = 256 * 1024;
  const fill = (unit: (i: number) => string) => {
    let made = '';
    for (let i = 0; made.length < bytes; i++) made += unit(i);
    return made.slice(0, bytes);
  };
  const hostile: [string, string, string][] = [
    ['of empty lines, and of letters', fill(() => '\n'), fill(() => 'a\n')],
    ['of two lines that alternate', fill((i) => (i % 2 ? 'a\n' : '\n')), fill((i) => (i % 3 ? 'a\n' : '\n'))],
    [
      'that share one line in hundred',
      fill((i) => `${i % 100 ? i : 0}\n`),
      fill((i) => `${i % 99 ? -i : 0}\n`),
    ],
    [
      'that are each other backwards',
      fill((i) => `${i}\n`),
      linesOf(fill((i) => `${i}\n`))
        .reverse()
        .join(''),
    ],
    [
      'of long equal runs',
      `x\n${fill(() => '\n')}`,
      `${fill(() => '\n')}y\n${fill(() => '\n')}`.slice(0, bytes),
    ],
    ['of one line', fill(() => 'a'), fill(() => 'b')],
  ];

  test.each(hostile)('%s are compared in time, and the diff is right', (_name, from, to) => {
    let unified = '';
    const compare = () => {
      unified = diff(from, to).diff;
    };
    expect(cpuMsOf(compare)).toBeLessThan(1000);
    expect(patched(from, unified)).toBe(to);
    expect(unified.length).toBeLessThan(6 * bytes);
  });

  test('beyond the bound all lines that differ are removed and added, but for those at both ends', () => {
    const middle = (name: string) => Array.from({ length: 2000 }, (_, i) => `${name} ${i}\n`);
    const [from, to] = [
      ['same\n', ...middle('a'), 'end\n'],
      ['same\n', ...middle('b'), 'end\n'],
    ];
    expect(changesBetween(from, to)).toEqual([{ fromStart: 1, fromCount: 2000, toStart: 1, toCount: 2000 }]);
  });
});
