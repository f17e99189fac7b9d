import { countTotals, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { put, rawBroker } from './support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - name: a few a customer
    action: refund.*
    decide: allow
    limit: { count: 2, per: 31d, by: payload.customer, else: deny }
  - name: up to a sum
    action: pay.*
    decide: allow
    budget: { sum: payload.amount, max: 100, per: 31d, by: agent.id }
    approvers: ["role:finance"]
  - name: both
    action: both
    decide: allow
    limit: { count: 5, per: 31d, else: deny }
    budget: { sum: payload.amount, max: 10, per: 31d }
default: allow
`;

const asking =
  ({ agent }: TestPlacet, action_name: string) =>
  async (payload: object, more: object = {}) =>
    (await agent.check({ action_name, payload, ...more })).body;

async function started() {
  const placet = await startTestPlacet();
  await put(placet, 'default', policy);
  return placet;
}

const totals = async ({ placet }: TestPlacet) => countTotals((await rawBroker(placet)).jsm);

test('a limit allows as often as it says, for each customer', async () => {
  const placet = await started();
  const refund = asking(placet, 'refund.create');
  expect(await refund({ customer: 'a', n: 1 })).toMatchObject({
    decision: 'allowed',
    rule: 'a few a customer',
  });
  expect(await refund({ customer: 'a', n: 2 })).toMatchObject({ decision: 'allowed' });
  expect(await refund({ customer: 'a', n: 3 })).toMatchObject({
    decision: 'denied',
    rule: 'a few a customer',
    reason: 'the limit of the rule "a few a customer" is used up (2 per 31d)',
  });
  expect(await refund({ customer: 'b' })).toMatchObject({ decision: 'allowed' });
  expect(await totals(placet)).toEqual([1, 2]);
});

test('an action that is asked about again is counted once', async () => {
  const placet = await started();
  const refund = asking(placet, 'refund.create');
  for (let n = 0; n < 5; n++) {
    const body = await refund({ customer: 'a' }, { idempotency_key: 'the same' });
    expect(body).toMatchObject({ decision: 'allowed' });
  }
  expect(await totals(placet)).toEqual([1]);
});

test('a budget allows sums until it is spent, and then asks those whom its rule names', async () => {
  const placet = await started();
  const pay = asking(placet, 'pay.invoice');
  expect(await pay({ amount: 60.5 })).toMatchObject({ decision: 'allowed' });
  expect(await pay({ amount: 39.6 })).toMatchObject({
    decision: 'pending',
    reason: 'the budget of the rule "up to a sum" has no room for this (100 per 31d)',
    approval: { approvers: ['role:finance'] },
  });
  expect(await pay({ amount: 1e300 })).toMatchObject({ decision: 'pending' });
  expect(await pay({ amount: 39.5 })).toMatchObject({ decision: 'allowed' });
  expect(await pay({ amount: 0 })).toMatchObject({ decision: 'allowed' });
  expect(await pay({ amount: 0.000001 })).toMatchObject({ decision: 'pending' });
  expect(await totals(placet)).toEqual([100000000]);
});

test('a sum below nothing makes no room', async () => {
  const placet = await started();
  const pay = asking(placet, 'pay.invoice');
  expect(await pay({ amount: -1000 })).toMatchObject({
    decision: 'pending',
    reason: 'it cannot be told whether the rule "up to a sum" matches: what it adds up is less than nothing',
  });
  expect(await totals(placet)).toEqual([]);
});

test('what one counter of a rule refuses is not counted by the other', async () => {
  const placet = await started();
  const both = asking(placet, 'both');
  expect(await both({ amount: 11 })).toMatchObject({ decision: 'pending' });
  expect(await both({ amount: 10 })).toMatchObject({ decision: 'allowed' });
  expect(await both({ amount: 1 })).toMatchObject({ decision: 'pending' });
  expect(await totals(placet)).toEqual([1, 10000000]);
});

test('a higher bound counts on from where the lower one stood', async () => {
  const placet = await started();
  const refund = asking(placet, 'refund.create');
  for (const n of [1, 2]) await refund({ customer: 'a', n });
  await put(placet, 'default', policy.replace('count: 2', 'count: 3'));
  expect(await refund({ customer: 'a', n: 3 })).toMatchObject({ decision: 'allowed' });
  expect(await refund({ customer: 'a', n: 4 })).toMatchObject({ decision: 'denied' });
});

describe('a counter that cannot be read', () => {
  test('makes its rule decide the stricter, and nothing is allowed', async () => {
    const placet = await started();
    const { jsm } = await rawBroker(placet.placet);
    await jsm.streams.delete('PLACET_COUNT_MONTH');
    expect(await asking(placet, 'refund.create')({ customer: 'a' })).toMatchObject({
      decision: 'denied',
      reason: 'the limit of the rule "a few a customer" (2 per 31d) cannot be counted now',
    });
    expect(await asking(placet, 'pay.invoice')({ amount: 1 })).toMatchObject({ decision: 'pending' });
  });
});
