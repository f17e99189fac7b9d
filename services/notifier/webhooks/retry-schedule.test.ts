import fc from 'fast-check';
import { expect, test } from 'vitest';
import { retryDelayMs } from './retry-schedule.ts';

const secondsAfter: [attempt: number, seconds: number][] = [
  [0, 0],
  [1, 5],
  [2, 300],
  [3, 1_800],
  [4, 7_200],
  [5, 18_000],
  [6, 36_000],
  [7, 50_400],
  [8, 72_000],
  [9, 86_400],
];

test.each(secondsAfter)('after attempt %i: %i seconds, a fifth more or less', (attempt, seconds) => {
  expect(retryDelayMs(attempt, 0.5)).toBe(seconds * 1000);
  expect(retryDelayMs(attempt, 0)).toBe(seconds * 800);
  expect(retryDelayMs(attempt, 1)).toBe(seconds * 1200);
});

test('after the tenth attempt it is given up', () => {
  expect(retryDelayMs(10, 0.5)).toBeNull();
  expect(retryDelayMs(11, 0.5)).toBeNull();
});

test('any chance gives a whole number of milliseconds within a fifth', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...secondsAfter),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ([attempt, seconds], random) => {
        const delay = retryDelayMs(attempt, random);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(seconds * 800);
        expect(delay).toBeLessThanOrEqual(seconds * 1200);
      },
    ),
  );
});
