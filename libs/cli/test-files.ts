import { testPolicy } from '@placet/policy';
import type { TestedFile } from './tested-file.ts';

export const testedFile = (file: string, ...lines: string[]): TestedFile => ({
  file,
  tested: testPolicy(['version: 1', ...lines].join('\n')),
});

/** Two rules, of which the tests reach one; one test of two fails. */
export const halfTested = testedFile(
  'refunds.yaml',
  'default: require_approval',
  'rules:',
  '  - { name: small refunds, action: refund, when: payload.amount < 50, decide: allow }',
  '  - { name: never, action: drop, decide: deny, reason: "Nobody\\ndrops." }',
  'tests:',
  '  - { name: a small one, action: refund, payload: { amount: 1 }, expect: allow }',
  '  - { name: a large one, action: refund, payload: { amount: 90 }, expect: allow }',
);

export const noPolicy = testedFile('wrong.yaml', 'default: alow');
export const untested = testedFile('untested.yaml', 'default: deny');
