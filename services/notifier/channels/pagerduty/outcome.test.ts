import { expect, test } from 'vitest';
import { failureOf } from './outcome.ts';

const now = Date.parse('2026-11-22T07:00:00Z');
const answered = (status: number, said = '', retryAfter: string | null = null) =>
  failureOf({ status, retryAfter }, said, now);

test('what was accepted is no failure', () => {
  expect(answered(202)).toBeNull();
});

test.each([
  ['5', 5000],
  ['Sun, 22 Nov 2026 07:01:00 GMT', 60_000],
  ['Sun, 22 Nov 2026 06:00:00 GMT', 0],
  ['soon', 30_000],
  [null, 30_000],
])('Retry-After %s', (retryAfter, retryAfterMs) => {
  expect(answered(429, '', retryAfter)).toMatchObject({ kind: 'limited', retryAfterMs });
});

test.each([500, 502, 503, 408])('%i passes', (status) => {
  expect(answered(status, '<html>')).toMatchObject({
    kind: 'passing',
    reason: `PagerDuty answered ${status}`,
  });
});

test.each([
  [
    400,
    '{"errors":["\'payload.summary\' is missing"]}',
    "PagerDuty answered 400: 'payload.summary' is missing",
  ],
  [400, '{"message":"Event object is invalid"}', 'PagerDuty answered 400: Event object is invalid'],
  [400, '{"errors":["\\u202ex"]}', 'PagerDuty answered 400: \\u{202e}x'],
  [413, 'no JSON', 'PagerDuty answered 413'],
  [302, '', 'PLACET_PAGERDUTY_URL leads elsewhere'],
  [404, '', 'there is no Events API v2'],
])('%i %s does not', (status, said, reason) => {
  expect(answered(status, said)).toMatchObject({ kind: 'lasting', reason: expect.stringContaining(reason) });
});
