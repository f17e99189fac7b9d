import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

const secretBytesMin = 32;

/** The id of a key and an HMAC. Whether it is right, only who holds the key can tell. */
export const sealForm = /^(?<id>[\w-]{1,64})\.(?<mac>[0-9a-f]{64})$/;

export type SealKey = { id: string; secret: Uint8Array };

/** New seals are made with `current`. Rotate by accepting both keys everywhere before and after the change. */
export type SealKeys = { current: SealKey; accepted?: readonly SealKey[] };

export type Sealer = {
  seal(subject: string, body: Uint8Array | string): string;
  check(subject: string, body: Uint8Array | string, seal: string | undefined): boolean;
  /** Whether it names the key that new seals are made with. It does not say that the seal is right. */
  isCurrent(seal: string): boolean;
};

export function createSealer(keys: SealKeys): Sealer {
  const secrets = new Map<string, KeyObject>();
  for (const key of [keys.current, ...(keys.accepted ?? [])]) {
    if (secrets.has(key.id)) throw new TypeError(`Two seal keys have the id "${key.id}".`);
    secrets.set(key.id, secretOf(key));
  }
  const current = secretOf(keys.current);
  return {
    seal: (subject, body) => `${keys.current.id}.${macOf(current, subject, body).toString('hex')}`,
    isCurrent: (seal) => seal.startsWith(`${keys.current.id}.`),
    check(subject, body, seal) {
      const { id, mac } = sealForm.exec(seal ?? '')?.groups ?? {};
      const secret = secrets.get(id ?? '');
      if (secret === undefined || mac === undefined) return false;
      return timingSafeEqual(macOf(secret, subject, body), Buffer.from(mac, 'hex'));
    },
  };
}

/** The subject's length goes first, so that no part of it can be taken for a part of the body. */
function macOf(secret: KeyObject, subject: string, body: Uint8Array | string): Buffer {
  const subjectBytes = Buffer.from(subject);
  const lengthBytes = Buffer.alloc(4);
  lengthBytes.writeUInt32BE(subjectBytes.length);
  return createHmac('sha256', secret).update(lengthBytes).update(subjectBytes).update(body).digest();
}

function secretOf({ id, secret }: SealKey): KeyObject {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new TypeError(`The id of a seal key is 1 to 64 letters, digits, "-" or "_", not "${id}".`);
  }
  if (secret.length < secretBytesMin) {
    throw new TypeError(
      `The seal key "${id}" has ${secret.length} bytes; it needs at least ${secretBytesMin}.`,
    );
  }
  return createSecretKey(secret);
}
