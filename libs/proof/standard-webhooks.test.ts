import { describe, expect, test } from 'vitest';
import { parseWebhookSecret, signWebhook, verifyWebhook } from './standard-webhooks.ts';

const short = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX';
const long = 'whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1+f4CBgoOEhYaHiImKi4yNjo+QkZKTlJWWl5iZmpucnZ6foKGiow==';
const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W';
const body = '{"specversion":"1.0","id":"evt_1","data":{"name":"Zoë – 😀"}}';
const now = new Date(1_760_000_000_000);

// Made with the Python package `standardwebhooks` 1.1.0: Webhook(secret).sign(id, timestamp, body).
const shortSignature = 'v1,4jR2WP40uHL5bKLv1kgOyvJonwuqUYLpZqdho3NMZ8k=';
const longSignature = 'v1,aPmml4ru2hmuccOFOjQK08F6p5wp8h0jb+FFd96AU/0=';

describe('signing', () => {
  test.each([
    [short, shortSignature],
    [long, longSignature],
  ])('gives what the reference library gives', (secret, signature) => {
    const expected = { 'webhook-id': id, 'webhook-timestamp': '1760000000', 'webhook-signature': signature };
    expect(signWebhook({ id, timestamp: now, body, secrets: [secret] })).toEqual(expected);
    expect(signWebhook({ id, timestamp: now, body: Buffer.from(body), secrets: [secret] })).toEqual(expected);
  });

  test('gives one signature for each secret', () => {
    const headers = signWebhook({ id, timestamp: now, body, secrets: [short, long] });
    expect(headers['webhook-signature']).toBe(`${shortSignature} ${longSignature}`);
  });

  test('needs a secret, and an id without a full stop', () => {
    expect(() => signWebhook({ id, timestamp: now, body, secrets: [] })).toThrow(/at least one secret/);
    for (const wrong of ['', 'a.b', 'a b', 'a\r\nx: y', 'é', 'a'.repeat(257)]) {
      expect(() => signWebhook({ id: wrong, timestamp: now, body, secrets: [short] })).toThrow(/The id/);
    }
  });
});

describe('verifying', () => {
  const headers = signWebhook({ id, timestamp: now, body, secrets: [short, long] });
  const verify = (change: Partial<Parameters<typeof verifyWebhook>[0]> = {}) =>
    verifyWebhook({ headers, body, secrets: [short], now, ...change });

  test('any signature may match any secret', () => {
    expect(verify()).toBe(true);
    expect(verify({ secrets: [long] })).toBe(true);
    expect(verify({ secrets: [`whsec_${Buffer.alloc(32).toString('base64')}`, short] })).toBe(true);
    expect(verify({ secrets: [`whsec_${Buffer.alloc(32).toString('base64')}`] })).toBe(false);
  });

  test.each([
    ['another body', { body: `${body} ` }],
    ['another id', { headers: { ...headers, 'webhook-id': 'msg_2' } }],
    ['another timestamp', { headers: { ...headers, 'webhook-timestamp': '1760000001' } }],
    ['no signature', { headers: { ...headers, 'webhook-signature': undefined } }],
    [
      'another version of the signature',
      { headers: { ...headers, 'webhook-signature': shortSignature.replace('v1,', 'v2,') } },
    ],
    ['a cut signature', { headers: { ...headers, 'webhook-signature': shortSignature.slice(0, 20) } }],
    ['a timestamp too old', { now: new Date(now.getTime() + 300_001) }],
    ['a timestamp too new', { now: new Date(now.getTime() - 300_001) }],
    ['no time', { now: new Date(Number.NaN) }],
  ])('%s does not pass', (_name, change) => {
    expect(verify(change)).toBe(false);
  });
});

describe('secrets', () => {
  test('have 24 to 64 bytes', () => {
    expect(parseWebhookSecret(short)).toHaveLength(24);
    expect(parseWebhookSecret(long)).toHaveLength(64);
    for (const bytes of [0, 23, 65]) {
      expect(() => parseWebhookSecret(`whsec_${Buffer.alloc(bytes).toString('base64')}`)).toThrow(
        /24 to 64 bytes/,
      );
    }
  });

  test.each(['', short.slice(6), short.replace('whsec_', 'whpk_'), `${short}!`, ` ${short}`])(
    '%j is none',
    (text) => {
      expect(() => parseWebhookSecret(text)).toThrow(TypeError);
    },
  );

  test('are not repeated in an error', () => {
    expect(() => parseWebhookSecret('whsec_hunter2')).toThrow(
      expect.not.objectContaining({ message: /hunter2/ }),
    );
  });
});
