import { cpuMsOf } from '@placet/testing/cpu.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchGlob, parseGlob } from './glob.ts';
import { actionName, pattern } from './test-arbitraries.ts';

const matches = (glob: string, name: string) => matchGlob(parseGlob(glob), name);

test.each([
  ['cancel_flight', 'cancel_flight', true],
  ['cancel_flight', 'cancel_flights', false],
  ['cancel_flight', 'Cancel_flight', false],
  ['*', 'anything.at.all', true],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['refund.*', 'refund.card', true],
  ['refund.*', 'refund.card.partial', true],
  ['refund.*', 'refund.', true],
  ['refund.*', 'refund', false],
  ['refund.*', 'refundXcard', false],
  ['*.delete', 'account.delete', true],
  ['*.delete', 'account.delete.soft', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a**b', 'ab', true],
  ['a*b*c', 'a.b.b.c', true],
  ['a*bc*bc', 'abc', false],
  ['*ab*ab*', 'aab', false],
  ['a?c', 'abc', false],
  ['a?c', 'a?c', true],
  ['[ab]', 'a', false],
  ['a.c', 'abc', false],
  ['(a+)+$', 'aaaa', false],
  ['{a,b}', 'a', false],
  ['\\*', '\\anything', true],
])('%j against %j: %j', (glob, name, expected) => {
  expect(matches(glob, name)).toBe(expected);
});

const naive = (glob: string, name: string): boolean => {
  if (glob === '') return name === '';
  if (glob[0] === '*') return naive(glob.slice(1), name) || (name !== '' && naive(glob, name.slice(1)));
  return glob[0] === name[0] && naive(glob.slice(1), name.slice(1));
};

test('says what the plain recursive definition says', () => {
  fc.assert(
    fc.property(pattern, actionName, (glob, name) => {
      expect(matches(glob, name)).toBe(naive(glob, name));
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ['many stars', `${'a*'.repeat(100)}b`, 'a'.repeat(1_000_000)],
  ['many stars, nearly', `*${'ab*'.repeat(60)}c`, 'ab'.repeat(500_000)],
  ['a long piece, nearly', `*${'a'.repeat(190)}b*`, 'a'.repeat(1_000_000)],
])('takes bounded time: %s', (_, glob, name) => {
  expect(cpuMsOf(() => expect(matches(glob, name)).toBe(false))).toBeLessThan(2_000);
});
