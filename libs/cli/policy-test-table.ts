import { styleText } from 'node:util';
import type { PolicyTestResult, Problem, RuleCoverage } from '@placet/policy';
import { printable } from './printable.ts';
import { countAll, type TestedFile } from './tested-file.ts';

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** A cell that is longer pushes the rest of its own row only. */
const cellCharsMax = 40;

export const formatTable = (files: readonly TestedFile[], hasColours: boolean): string => {
  const paint: Paint = (style, text) =>
    hasColours ? styleText(style, text, { validateStream: false }) : text;
  const { passed, failed } = countAll(files);
  const total = paint(failed === 0 ? 'green' : 'red', `${passed} passed, ${failed} failed`);
  return `${files.map((file) => `${formatFile(file, paint)}\n`).join('\n')}\n${total}\n`;
};

const formatFile = ({ file, tested }: TestedFile, paint: Paint): string => {
  const name = printable(file);
  const lines = tested.ok
    ? tested.results.length === 0
      ? ['it has no tests']
      : [...resultLines(tested.results, tested.coverage, paint), ...coverageLines(tested.coverage, paint)]
    : problemLines(name, tested.problems, paint);
  return [paint('bold', name), ...lines.map((line) => `  ${line}`)].join('\n');
};

const problemLines = (name: string, problems: readonly Problem[], paint: Paint): string[] => [
  paint('red', 'FAIL  it is not a policy'),
  ...problems.map(({ line, column, message }) => `      ${name}:${line}:${column}: ${printable(message)}`),
];

const titles = ['test', 'action', 'expected', 'found', 'rule'];

const resultLines = (
  results: readonly PolicyTestResult[],
  coverage: RuleCoverage,
  paint: Paint,
): string[] => {
  const withoutRule = coverage.default.decide === null ? 'no rule' : 'default';
  const rows = results.map((result) => [
    printable(result.name),
    printable(result.action),
    result.expected,
    result.found,
    result.rule ? `${printable(result.rule.name)} (line ${result.rule.line})` : withoutRule,
  ]);
  const format = rowFormat([titles, ...rows]);
  return [
    paint('dim', `      ${format(titles)}`),
    ...results.flatMap((result, n) => {
      const row = format(rows[n] ?? []);
      return result.passed
        ? [`${paint('green', 'pass')}  ${row}`]
        : [`${paint('red', 'FAIL')}  ${row}`, `      ${paint('red', failure(result))}`];
    }),
  ];
};

const failure = ({ line, expected, found, reason }: PolicyTestResult): string =>
  `line ${line}: expected ${expected}, and it is ${found}: ${printable(reason)}`;

const lengthOf = (text: string): number => [...text].length;

/** Pads each cell to the longest of its column, and the last one not at all. */
const rowFormat = (rows: readonly string[][]): ((row: readonly string[]) => string) => {
  const widths = titles.map((_, n) =>
    Math.min(cellCharsMax, Math.max(...rows.map((row) => lengthOf(row[n] ?? '')))),
  );
  return (row) =>
    row
      .map((cell, n) => cell + ' '.repeat(Math.max(0, (widths[n] ?? 0) - lengthOf(cell))))
      .join('  ')
      .trimEnd();
};

const coverageLines = ({ rules, default: fallback }: RuleCoverage, paint: Paint): string[] => {
  const missed = rules.filter(({ tests }) => tests === 0);
  const summary = `${rules.length - missed.length} of ${rules.length} rules decided a test; ${defaultWords(fallback)}`;
  return [
    missed.length === 0 ? summary : paint('yellow', `${summary}; without a test:`),
    ...missed.map(({ name, line }) => `      line ${line}: ${printable(name)}`),
  ];
};

const defaultWords = ({ decide, tests }: RuleCoverage['default']): string => {
  if (decide !== null) return `the default (${decide}) was ${tests === 0 ? 'not ' : ''}reached`;
  return tests === 0 ? 'there is no default' : 'there is no default, and a test met no rule';
};
