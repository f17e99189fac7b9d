import { describe, expect, test } from 'vitest';
import { outcomeOf } from './outcome.ts';

const now = new Date('2026-01-02T03:04:05Z');

test.each([200, 201, 202, 204, 299])('%i is delivered', (status) => {
  expect(outcomeOf(status, '10', now)).toEqual({ outcome: 'delivered', status });
});

test.each([
  0, 199, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 408, 409, 422, 425, 429, 500, 502, 503, 504, 599,
])('%i is tried again', (status) => {
  expect(outcomeOf(status, undefined, now)).toEqual({
    outcome: 'retry',
    status,
    reason: expect.stringContaining(String(status)),
  });
});

test('410 is gone', () => {
  expect(outcomeOf(410, '10', now)).toMatchObject({ outcome: 'gone' });
});

describe('Retry-After', () => {
  test.each([
    ['0', 0],
    ['120', 120_000],
    ['86400', 86_400_000],
    ['86401', 86_400_000],
    ['9'.repeat(400), 86_400_000],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
    ['Fri, 02 Jan 2099 03:00:00 GMT', 86_400_000],
  ])('%s is honoured', (text, retryAfterMs) => {
    expect(outcomeOf(503, text, now)).toMatchObject({ outcome: 'retry', retryAfterMs });
  });

  test.each(['', '-5', '1.5', '5s', 'soon', '2026-01-03', 'Fri, soon GMT'])('%j says nothing', (text) => {
    expect(outcomeOf(503, text, now)).not.toHaveProperty('retryAfterMs');
  });
});
