import { expect, test } from 'vitest';
import { freeAt, type Pace, unused, withoutTurns, withRest, withTurns } from './pace.ts';

const channel = { name: '#approvals', everyMs: 1000 };
const mails = { name: 'the mail server', everyMs: 50 };

function take(pace: Pace, now: number, { place = channel, wanted = 1, agent = 'a' } = {}) {
  const taken = withTurns(pace, place, { queue: agent, wanted, now });
  if (!taken) throw new Error('it is nobody’s turn');
  return taken;
}
const isTaken = (pace: Pace, now: number, place = channel) =>
  withTurns(pace, place, { queue: 'a', wanted: 1, now }) === null;

test('a place takes one message after the other', () => {
  const { pace, grant } = take(unused, 5000);
  expect(grant).toEqual({ place: channel, from: 5000, count: 1 });
  expect(isTaken(pace, 5999)).toBe(true);
  expect(freeAt(pace, channel, 5500)).toBe(6000);
  expect(take(pace, 6000).grant.from).toBe(6000);
});

test('where turns are short some are given at once, and no more than are wanted', () => {
  expect(take(unused, 0, { wanted: 9 }).grant.count).toBe(1);
  const { pace, grant } = take(unused, 0, { place: mails, wanted: 9 });
  expect(grant.count).toBe(5);
  expect(freeAt(pace, mails, 0)).toBe(250);
  expect(take(unused, 0, { place: mails, wanted: 2 }).grant.count).toBe(2);
});

test('what nobody needed is free again, unless it was given to others since', () => {
  const { pace, grant } = take(unused, 1000, { place: mails, wanted: 5 });
  expect(freeAt(withoutTurns(pace, grant, 3), mails, 1000)).toBe(1100);
  const later = take(pace, 1250, { place: mails, wanted: 5 });
  expect(withoutTurns(later.pace, grant, 3)).toEqual(later.pace);
});

test('while a place rests nobody sends there, and who is told a shorter rest makes it no shorter', () => {
  const pace = withRest(unused, 31_000, 1000);
  expect(isTaken(pace, 30_999)).toBe(true);
  expect(isTaken(withRest(pace, 2000, 1000), 30_999)).toBe(true);
  expect(isTaken(pace, 31_000)).toBe(false);
});

test('a rest is asked for again after a quarter of an hour', () => {
  expect(freeAt(withRest(unused, 86_400_000, 0), channel, 0)).toBe(900_000);
});

test('nobody waits for a clock that is an hour ahead', () => {
  const hour = 3_600_000;
  const { pace } = take(unused, hour);
  const resting = withRest(pace, hour + 60_000, hour);
  expect(isTaken(resting, 0)).toBe(false);
  expect(freeAt(resting, channel, hour - 60_000)).toBeLessThan(hour - 60_000);
  // And a rest by another clock is one.
  expect(freeAt(withRest(resting, 30_000, 0), channel, 0)).toBe(30_000);
  // One that is a little ahead is believed.
  expect(isTaken(take(unused, 2000).pace, 0)).toBe(true);
});

test('who was served is known for a while, and of no more than 200', () => {
  let pace = take(unused, 0, { agent: 'first' }).pace;
  for (let n = 1; n <= 300; n++) pace = take(pace, n * 1000, { agent: `agent-${n}` }).pace;
  expect(Object.keys(pace.served)).toHaveLength(200);
  expect(pace.served).toMatchObject({ 'agent-300': 300_000, 'agent-101': 101_000 });
  expect(Object.keys(take(pace, 2_000_000).pace.served)).toEqual(['a']);
});
