import { formatProblems, type PolicyTestResult } from '@placet/policy';
import { countAll, type TestedFile } from './tested-file.ts';

/** A suite a file, a case a test. A policy that is none is one case, in error. */
export const formatJunit = (files: readonly TestedFile[]): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="placet policy test" ${counts(files)}>`,
    ...files.flatMap(suite),
    '</testsuites>',
    '',
  ].join('\n');

const counts = (files: readonly TestedFile[]): string => {
  const { passed, failed } = countAll(files);
  const errors = files.filter(({ tested }) => !tested.ok).length;
  return `tests="${passed + failed}" failures="${failed - errors}" errors="${errors}" skipped="0"`;
};

const suite = (tested: TestedFile): string[] => [
  `  <testsuite name="${escaped(tested.file)}" ${counts([tested])}>`,
  ...cases(tested),
  '  </testsuite>',
];

const cases = ({ file, tested }: TestedFile): string[] => {
  if (tested.ok) {
    const names = tested.results.map(({ name }) => name);
    const isAlone = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
    return tested.results.flatMap((result) => {
      // Who follows a case from run to run knows it by its name.
      const name = isAlone(result.name) ? result.name : `${result.name} (line ${result.line})`;
      return testCase(file, { ...result, name });
    });
  }
  const [first] = tested.problems;
  return [
    `    <testcase name="the policy" classname="${escaped(file)}" file="${escaped(file)}">`,
    `      <error message="${escaped(first ? formatProblems([first]) : '')}">${escaped(formatProblems(tested.problems))}</error>`,
    '    </testcase>',
  ];
};

const testCase = (file: string, result: PolicyTestResult): string[] => {
  const { name, action, line, expected, found, rule, reason, passed } = result;
  const attributes = `name="${escaped(name)}" classname="${escaped(file)}" file="${escaped(file)}" line="${line}"`;
  if (passed) return [`    <testcase ${attributes}/>`];
  const decided = rule ? `by the rule ${rule.name} (line ${rule.line})` : 'by no rule';
  const message = `expected ${expected}, and it is ${found}: ${reason}`;
  return [
    `    <testcase ${attributes}>`,
    `      <failure message="${escaped(message)}">${escaped(`${action} in line ${line}: ${message}, ${decided}`)}</failure>`,
    '    </testcase>',
  ];
};

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A reader of attributes makes plain spaces of these, unless they are written so (XML 1.0, 3.3.3).
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** For content and attributes alike. What is no character of XML 1.0 (2.2) cannot be written even as an entity. */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"'\t\n\r]/g, (character) => entities[character] ?? '');
