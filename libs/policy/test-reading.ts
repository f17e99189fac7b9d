import { formatProblems, parsePolicy } from './index.ts';
import type { Policy } from './types.ts';

/** A policy of one rule for the action pay. */
export const rule = (...fields: string[]): string =>
  ['version: 1', 'rules:', '  - action: pay', ...fields.map((field) => `    ${field}`)].join('\n');

export const problemsOf = (text: string): string => {
  const parsed = parsePolicy(text);
  return parsed.ok ? 'accepted' : formatProblems(parsed.problems);
};

export const policyOf = (text: string): Policy => {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.policy;
};
