import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';

const version = 'v1';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

export type SecretBox = {
  encrypt(plain: string, context: string): string;
  decrypt(box: string, context: string): string;
};

/** A box that does not open: another master key, another context, or somebody changed it. */
export class SecretBoxError extends Error {
  readonly code = 'SECRET_UNREADABLE';
}

/**
 * Keeps secrets in stores that are not secret. The context says where a box belongs (for example its
 * bucket and key), so that a box moved elsewhere does not open there.
 */
export function createSecretBox(masterKey: Uint8Array): SecretBox {
  if (masterKey.length !== keyBytes) {
    throw new TypeError(`The master key has ${masterKey.length} bytes; it needs ${keyBytes}.`);
  }
  const key = createSecretKey(masterKey);
  return {
    encrypt(plain, context) {
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
      sealing.setAAD(Buffer.from(context));
      const sealed = [nonce, sealing.update(plain, 'utf8'), sealing.final(), sealing.getAuthTag()];
      return `${version}.${Buffer.concat(sealed).toString('base64url')}`;
    },
    decrypt(box, context) {
      const bytes = bytesOf(box);
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      opening.setAAD(Buffer.from(context));
      opening.setAuthTag(bytes.subarray(-tagBytes));
      try {
        const plain = [opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()];
        return Buffer.concat(plain).toString('utf8');
      } catch (cause) {
        const message = `The secret of "${context}" does not open: it was made with another master key or for another place, or it was changed.`;
        throw new SecretBoxError(message, { cause });
      }
    },
  };
}

function bytesOf(box: string): Buffer {
  const [prefix, text = '', ...rest] = box.split('.');
  const bytes = Buffer.from(text, 'base64url');
  const isWhole = bytes.toString('base64url') === text && bytes.length >= nonceBytes + tagBytes;
  if (prefix !== version || rest.length > 0 || !isWhole) {
    throw new SecretBoxError(
      `This is not a secret box: one begins with "${version}." and goes on in base64url.`,
    );
  }
  return bytes;
}
