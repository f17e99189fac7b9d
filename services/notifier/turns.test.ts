import { expect, test } from 'vitest';
import { createTurns } from './turns.ts';

test('one after the other at a place, each at a turn of its own', () => {
  const turns = createTurns(1000);
  expect(['a', 'b', 'c'].map((who) => turns.take('#x', who, 0))).toEqual([0, 1000, 2000]);
  expect(turns.take('#y', 'b', 0)).toBe(0);
  // Who asks again keeps the turn, and makes nobody wait longer.
  expect(turns.take('#x', 'c', 500)).toBe(1500);
  expect(turns.take('#x', 'b', 1000)).toBe(0);
  expect(turns.take('#x', 'd', 1000)).toBe(2000);
  expect(turns.take('#x', 'c', 2000)).toBe(0);
});

test('a place that takes no more rests', () => {
  const turns = createTurns(1000);
  turns.rest('#x', 30_000);
  expect(turns.take('#x', 'a', 0)).toBe(30_000);
  turns.rest('#x', 10_000);
  expect(turns.take('#x', 'b', 0)).toBe(31_000);
});

test('who does not ask any more holds up nobody', () => {
  const turns = createTurns(1000);
  const gone = Array.from({ length: 60 }, (_, n) => `gone ${n}`);
  for (const who of gone) turns.take('#x', who, 0);
  // The first is served, and the others are never heard of again.
  let now = 0;
  let waitMs = turns.take('#x', 'here', now);
  for (let asked = 0; waitMs > 0 && asked < 20; asked++) {
    now += Math.min(waitMs, 10_000);
    waitMs = turns.take('#x', 'here', now);
  }
  expect(waitMs).toBe(0);
  expect(now).toBeLessThan(60_000);
});

test('who is late for its turn is not waited for', () => {
  const turns = createTurns(1000);
  expect(turns.take('#x', 'a', 0)).toBe(0);
  expect(turns.take('#x', 'late', 0)).toBe(1000);
  expect(turns.take('#x', 'b', 0)).toBe(2000);
  expect(turns.take('#x', 'b', 2000)).toBe(0);
});
