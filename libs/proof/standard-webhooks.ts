import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

const secretPrefix = 'whsec_';
const secretBytesMin = 24;
const secretBytesMax = 64;
const secretBytesMade = 32;
const toleranceMs = 5 * 60_000;

export type WebhookHeaders = {
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
};

export type WebhookMessage = {
  id: string;
  /** Of this attempt, not of the event. */
  timestamp: Date;
  body: string | Uint8Array;
  /** One signature for each; while a secret is exchanged there are two. */
  secrets: readonly string[];
};

export function signWebhook({ id, timestamp, body, secrets }: WebhookMessage): WebhookHeaders {
  if (!isWebhookId(id)) throw new TypeError('The id of a webhook is visible ASCII without a full stop.');
  if (secrets.length === 0) throw new TypeError('A webhook is signed with at least one secret.');
  const seconds = String(Math.floor(timestamp.getTime() / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${signatureOf(parseWebhookSecret(secret), id, seconds, body).toString('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signatures.join(' ') };
}

/** What a receiver does: any signature may match any secret, and the timestamp must be of now. */
export function verifyWebhook(message: {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: string | Uint8Array;
  secrets: readonly string[];
  now: Date;
}): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': list } = message.headers;
  if (typeof id !== 'string' || typeof seconds !== 'string' || typeof list !== 'string') return false;
  if (!isWebhookId(id) || !/^\d{1,12}$/.test(seconds)) return false;
  if (!(Math.abs(message.now.getTime() - Number(seconds) * 1000) <= toleranceMs)) return false;
  const given = list.split(' ').filter((signature) => signature.startsWith('v1,'));
  const wanted = message.secrets.map((secret) =>
    signatureOf(parseWebhookSecret(secret), id, seconds, message.body),
  );
  return given.some((signature) =>
    wanted.some((mac) => isSame(mac, Buffer.from(signature.slice(3), 'base64'))),
  );
}

/** The bytes of a `whsec_` secret. The message of the error does not repeat it. */
export function parseWebhookSecret(text: string): Buffer {
  const encoded = text.startsWith(secretPrefix) ? text.slice(secretPrefix.length) : '';
  const bytes = Buffer.from(encoded, 'base64');
  const isWhole = bytes.toString('base64').replace(/=+$/, '') === encoded.replace(/=+$/, '');
  if (!isWhole || bytes.length < secretBytesMin || bytes.length > secretBytesMax) {
    throw new TypeError(
      `A webhook secret is "${secretPrefix}" and ${secretBytesMin} to ${secretBytesMax} bytes in base64.`,
    );
  }
  return bytes;
}

export function isWebhookSecret(text: string): boolean {
  try {
    parseWebhookSecret(text);
    return true;
  } catch {
    return false;
  }
}

export function generateWebhookSecret(): string {
  return `${secretPrefix}${randomBytes(secretBytesMade).toString('base64')}`;
}

/** A full stop in the id would leave open where it ends in what is signed. */
export function isWebhookId(id: string): boolean {
  return /^[!-\-/-~]{1,256}$/.test(id);
}

function signatureOf(secret: Buffer, id: string, seconds: string, body: string | Uint8Array): Buffer {
  return createHmac('sha256', secret).update(`${id}.${seconds}.`).update(body).digest();
}

function isSame(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
