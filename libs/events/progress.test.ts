import { describe, expect, test } from 'vitest';
import type { Demand } from './approvers.ts';
import { approvalsOf, isMet, isRejected, peopleWanted } from './progress.ts';

const demand = (more: Partial<Demand> = {}): Demand => ({
  scope: null,
  rule: null,
  approvers: [],
  quorum: 1,
  ...more,
});
type Cast = { vote?: 'approve' | 'reject'; as?: string[]; for?: string };
const vote = (id: string, { vote: said = 'approve', as = ['role:a'], for: place }: Cast = {}) => ({
  voter: { id, email: `${id}@example.com` },
  vote: said,
  eligible_as: [{ as, ...(place === undefined ? {} : { in_place_of: place }) }],
});

describe('a demand', () => {
  test('counts places, not votes', () => {
    const two = demand({ quorum: 2 });
    expect(isMet(two, [vote('ann'), vote('ann')], 0)).toBe(false);
    expect(isMet(two, [vote('ben', { for: 'ann' }), vote('cat', { for: 'ann' })], 0)).toBe(false);
    expect(isMet(two, [vote('ben', { for: 'ann' }), vote('cat')], 0)).toBe(true);
    expect(approvalsOf(demand(), [vote('ann'), vote('ben'), vote('cat', { vote: 'reject' })], 0)).toBe(2);
    const said = (id: string, choice: string) => ({ ...vote(id), choice });
    expect(approvalsOf(demand(), [said('ann', 'x'), said('ben', 'y')], 0)).toBe(1);
    expect(approvalsOf(demand({ ways: [[['role:a'], ['role:b']]] }), [vote('ann'), vote('ben')], 0)).toBe(1);
  });

  test('takes the last word of those who share a place', () => {
    const [yes, no] = [vote('ben', { for: 'ann' }), vote('cat', { for: 'ann', vote: 'reject' })];
    expect(isMet(demand(), [yes, no], 0)).toBe(false);
    expect(isRejected(demand(), [yes, no], 0)).toBe(true);
    expect(isMet(demand(), [no, yes], 0)).toBe(true);
    expect(isRejected(demand(), [no, yes], 0)).toBe(false);
  });

  test('does not count who takes no part in it', () => {
    const nobody = { ...vote('ann'), eligible_as: [null] };
    expect(isMet(demand(), [nobody], 0)).toBe(false);
    expect(isRejected(demand(), [{ ...nobody, vote: 'reject' }], 0)).toBe(false);
  });

  const both = { ways: [[['role:a'], ['role:b']]] };
  test.each([
    ['one who is both', both, [vote('ann', { as: ['role:a', 'role:b'] })], false],
    ['two of one kind', both, [vote('ann'), vote('ben')], false],
    ['one of each', both, [vote('ann'), vote('ben', { as: ['role:b'] })], true],
    [
      'one who is both and comes first, and one who can only be the first',
      both,
      [vote('ann', { as: ['role:a', 'role:b'] }), vote('ben')],
      true,
    ],
    [
      'the other way',
      { ways: [[['role:c']], [['role:a'], ['role:b']]] },
      [vote('cat', { as: ['role:c'] })],
      true,
    ],
    [
      'any of several at a place',
      { ways: [[['role:a', 'role:c'], ['role:b']]] },
      [vote('cat', { as: ['role:c'] }), vote('ben', { as: ['role:b'] })],
      true,
    ],
  ])('with places is looked at with %s', (_, group, votes, expected) => {
    expect(isMet(demand(group), votes, 0)).toBe(expected);
  });

  test('of many places and people who fit everywhere is answered at once', () => {
    const ways = [Array.from({ length: 20 }, () => ['role:a'])];
    const votes = Array.from({ length: 19 }, (_, n) => vote(`p${n}`));
    expect(isMet(demand({ ways }), votes, 0)).toBe(false);
    expect(isMet(demand({ ways }), [...votes, vote('last')], 0)).toBe(true);
  });

  test.each([
    [demand(), 1, true],
    [demand({ quorum: 4, reject: 'majority' }), 2, false],
    [demand({ quorum: 4, reject: 'majority' }), 3, true],
    [demand({ reject: 'majority' }), 1, true],
    [demand({ ...both, reject: 'majority' }), 1, false],
  ])('%j with %d rejections', (wanted, count, expected) => {
    const votes = Array.from({ length: count }, (_, n) => vote(`p${n}`, { vote: 'reject' }));
    expect(isRejected(wanted, votes, 0)).toBe(expected);
  });

  test('wants at least as many people as its smallest way has places', () => {
    expect(peopleWanted(demand())).toBe(1);
    expect(peopleWanted(demand(both))).toBe(2);
    expect(peopleWanted(demand({ ...both, quorum: 3 }))).toBe(3);
  });
});
