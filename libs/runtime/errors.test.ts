import { expect, test } from 'vitest';
import { type ErrorCode, errorTable, Refusal } from './errors.ts';

const codes = Object.keys(errorTable) as ErrorCode[];

test.each(codes)('%s has the status of a refusal or a failure, and a sentence', (code) => {
  const { status, message } = errorTable[code];
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  expect(Number.isInteger(status) && status >= 400 && status < 600).toBe(true);
  expect(message).toMatch(/^[A-Z].{10,}\.$/);
});

test.each(codes)('a refusal with %s says what the table says, unless it knows better', (code) => {
  expect(new Refusal(code).message).toBe(errorTable[code].message);
  expect(new Refusal(code, { message: 'Better.' })).toMatchObject({ code, message: 'Better.' });
});

test('a refusal keeps its cause, its details and how long to wait', () => {
  const cause = new Error('below');
  const details = [{ path: 'a', message: 'b' }];
  const refusal = new Refusal('RATE_LIMITED', { cause, details, retryAfterS: 7 });
  expect(refusal).toMatchObject({ cause, details, retryAfterS: 7 });
  expect(refusal).toBeInstanceOf(Error);
});
