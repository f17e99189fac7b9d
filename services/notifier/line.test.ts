import { expect, test } from 'vitest';
import { dueOf, type Line, nobodyWaits, withFree, withRest, withTaken } from './line.ts';

const everyMs = 1000;
const take = (line: Line, now: number, count = 1) => withTaken(line, count, { everyMs, now });
const duesOf = (line: Line, turns: readonly number[]) => turns.map((turn) => dueOf(line, turn));

test('one after the other, each at a turn of its own', () => {
  const { line, turns } = take(nobodyWaits, 5000, 3);
  expect(turns).toEqual([5000, 6000, 7000]);
  expect(take(line, 5500).turns).toEqual([8000]);
  expect(take(line, 60_000).turns).toEqual([60_000]);
});

test('while a place rests everybody waits as much longer, in the same order', () => {
  const before = take(nobodyWaits, 0, 3);
  const line = withRest(before.line, 31_000, 1000);
  expect(duesOf(line, before.turns)).toEqual([30_000, 31_000, 32_000]);
  const next = take(line, 2000);
  expect(duesOf(next.line, next.turns)).toEqual([33_000]);
  // Who is told the same rest makes it no longer.
  expect(withRest(line, 31_000, 2000)).toEqual(line);
  expect(duesOf(withRest(line, 32_000, 2000), before.turns)).toEqual([31_000, 32_000, 33_000]);
});

test('where nobody waits a rest holds as well', () => {
  const { line, turns } = take(withRest(nobodyWaits, 30_000, 1000), 2000);
  expect(duesOf(line, turns)).toEqual([30_000]);
});

test('whoever leaves makes room', () => {
  const { line, turns } = take(nobodyWaits, 0, 5);
  const left = withFree(line, turns.slice(1, 3), { everyMs });
  const next = take(left, 500, 3);
  expect(next.turns).toEqual([1000, 2000, 5000]);
  // What is over by now is no turn.
  expect(take(left, 1500).turns).toEqual([2000]);
});

test('a line that everybody leaves is empty', () => {
  const { line, turns } = take(nobodyWaits, 0, 500);
  expect(withFree(line, turns.slice(1), { everyMs })).toMatchObject({ next: 1000, free: [] });
});

test.each([
  ['oldest first', (turns: number[]) => turns],
  ['newest first', (turns: number[]) => turns.toReversed()],
  [
    'every second, and then the others',
    (turns: number[]) => turns.toSorted((a, b) => (a % 2000) - (b % 2000)),
  ],
])('where 3,000 leave one by one, %s, nobody waits for them', (_, order) => {
  const { line, turns } = take(nobodyWaits, 1000, 3000);
  const left = order(turns).reduce((so, turn) => withFree(so, [turn], { everyMs }), line);
  expect(take(left, 1000).turns).toEqual([1000]);
  expect(left.free.length).toBeLessThanOrEqual(1000);
});

test('of those who leave in a row none is lost, and the line stays short', () => {
  const { line, turns } = take(nobodyWaits, 0, 3000);
  const left = withFree(line, turns.slice(0, -1), { everyMs });
  expect(left.free).toEqual([[0, 2_998_000]]);
  expect(take(left, 2_000_500).turns).toEqual([2_001_000]);
  expect(withFree(left, turns.slice(-1), { everyMs })).toMatchObject({ next: 0, free: [] });
});

test('a turn that was taken without the line frees none of it', () => {
  const { line, turns } = take(nobodyWaits, 0, 4);
  const left = withFree(line, turns.slice(0, 2), { everyMs });
  expect(withFree(left, [500], { everyMs })).toEqual(left);
  expect(withFree(withFree(left, [1500], { everyMs }), turns.slice(3), { everyMs })).toMatchObject({
    next: 3000,
  });
});
