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
