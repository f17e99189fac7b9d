import { problemsMax } from './limits.ts';

/** Lines and columns count from 1, columns in UTF-16 units as editors do. */
export type Problem = { line: number; column: number; path: string; message: string };

export type Problems = {
  add(problem: Problem): void;
  full(): boolean;
  /** In the order of the file. */
  list(): Problem[];
};

export const collectProblems = (): Problems => {
  const found: Problem[] = [];
  return {
    add: (problem) => {
      if (found.length < problemsMax) found.push({ ...problem, message: oneLine(problem.message) });
    },
    full: () => found.length >= problemsMax,
    list: () => found.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
};

export const formatProblems = (problems: Problem[]): string =>
  problems.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`).join('\n');

/** What a user wrote, fit for a message: escaped and short. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

export const oneOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

// Messages may carry the YAML library's words, and with them the text's own characters.
const oneLine = (message: string): string =>
  message
    .slice(0, 1_000)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed();
