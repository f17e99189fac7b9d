import { expect, test } from 'vitest';
import { retryDelayMs } from './retry-delay.ts';

test('it is tried ever later, for half a day, and not for ever', () => {
  const delays = Array.from({ length: 1000 }, (_, n) => retryDelayMs(n + 1));
  const tried = delays.slice(0, delays.indexOf(null)).map(Number);
  expect(tried).toEqual(tried.toSorted((a, b) => a - b));
  const hours = tried.reduce((all, ms) => all + ms, 0) / 3_600_000;
  expect(hours).toBeGreaterThan(11);
  expect(hours).toBeLessThan(12);
});
