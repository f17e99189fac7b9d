import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { isFromSlack } from './signature.ts';

const secret = 's'.repeat(32);
const now = new Date('2026-01-01T12:00:00Z');
const seconds = now.getTime() / 1000;
const body = Buffer.from('payload=%7B%7D');

function signed(timestamp: string, by = secret, of = body) {
  const digest = createHmac('sha256', by).update(`v0:${timestamp}:`).update(of).digest('hex');
  return { timestamp, signature: `v0=${digest}`, body };
}

test.each([0, -300, 300])('what Slack has signed %i s from now is of Slack', (offset) => {
  expect(isFromSlack(secret, signed(`${seconds + offset}`), now)).toBe(true);
});

test.each([
  ['of six minutes ago', signed(`${seconds - 301}`)],
  ['of the future', signed(`${seconds + 301}`)],
  ['with a timestamp that is not digits alone', signed(`${seconds}.0`)],
  ['with a space before the timestamp', signed(` ${seconds}`)],
  ['with a sign before it', signed(`+${seconds}`)],
  ['by another secret', signed(`${seconds}`, 'other')],
  ['of another body', signed(`${seconds}`, secret, Buffer.from('payload=1'))],
  ['without a signature', { ...signed(`${seconds}`), signature: undefined }],
  ['with an empty one', { ...signed(`${seconds}`), signature: '' }],
  ['without a timestamp', { ...signed(`${seconds}`), timestamp: undefined }],
])('what is signed %s is not', (_, request) => {
  expect(isFromSlack(secret, request, now)).toBe(false);
});
