import { expect, test } from 'vitest';
import { createAgenda } from './agenda.ts';
import { type CardsEntry, claimMs, type Slot } from './ledger.ts';

const place = { name: '#approvals', everyMs: 1000 };
const key = 'slack.support.act_1';

const startAgenda = () => createAgenda({ placeOf: (target) => (target.startsWith('#') ? place : null) });
const slot = (fields: Partial<Slot> = {}): Slot => ({ status: 'waiting', attempts: 0, at: 0, ...fields });
const entry = (fields: Partial<CardsEntry> = {}): CardsEntry => ({
  claimed: false,
  deadline: 5000,
  slots: { '#approvals': slot() },
  ...fields,
});

test('a claim is over when it was seen for long enough, by our own clock, and each change begins it anew', () => {
  const agenda = startAgenda();
  const before = Date.now();
  agenda.learn(key, entry({ claimed: true }), 1);
  const seenBy = Date.now();
  agenda.learn(key, entry({ claimed: true }), 1);
  expect(agenda.isClaimed(key, before + claimMs - 1)).toBe(true);
  expect(agenda.isClaimed(key, seenBy + claimMs)).toBe(false);
  expect(agenda.waitingAt(place, before)).toEqual([]);
  expect(agenda.waitingAt(place, seenBy + claimMs)).toHaveLength(1);
  agenda.learn(key, entry(), 2);
  expect(agenda.isClaimed(key, before)).toBe(false);
});

test('what waits at a place is known there until it is done, and an older change does not bring it back', () => {
  const agenda = startAgenda();
  agenda.learn(key, entry(), 3);
  const waiting = { key, agent: 'support', revision: 3, deadline: 5000, count: 1, asks: 1 };
  expect(agenda.waitingAt(place, Date.now())).toEqual([waiting]);
  expect([agenda.isWaitedAt(place, key), agenda.isWaitedAt(place, 'another')]).toEqual([false, true]);
  agenda.learn(key, entry({ slots: {} }), 2);
  expect(agenda.size()).toBe(1);
  agenda.learn(key, entry({ slots: { '#approvals': slot({ status: 'shown' }) } }), 4);
  expect([agenda.size(), agenda.get(key), agenda.places()]).toEqual([0, undefined, []]);
});

test.each<[string, Slot, boolean]>([
  ['another attempt', slot({ status: 'sending', until: 900 }), true],
  ['an attempt whose sender died', slot({ status: 'sending' }), true],
  ['what was told as failed and may stand there', slot({ status: 'sending', refused: 1 }), false],
  ['what shows all there is', slot({ status: 'shown' }), false],
  ['what is left to be said', slot({ status: 'shown', waits: 1 }), true],
  ['what failed', slot({ status: 'failed' }), false],
])('%s', (_, one, isLeft) => {
  const agenda = startAgenda();
  agenda.learn(key, entry({ slots: { 'user:ann@example.com': one } }), 1);
  expect(agenda.get(key) !== undefined).toBe(isLeft);
});

test('nobody waits for the time of a clock that is an hour ahead', () => {
  const agenda = startAgenda();
  const ahead = Date.now() + 3_600_000;
  agenda.learn(key, entry({ slots: { '#approvals': slot({ at: ahead, until: ahead + 1000 }) } }), 1);
  expect(agenda.waitingAt(place, Date.now())).toHaveLength(1);
});
