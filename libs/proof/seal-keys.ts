import type { SealKey, SealKeys } from './seal.ts';

export const acceptedKeysMax = 2;

/**
 * Reads `id:secret` in base64, one a line or separated by commas. The first makes the seals; both are accepted, so that
 * a key can be replaced without stopping.
 */
export function parseSealKeys(text: string): SealKeys {
  const [current, ...accepted] = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(parseSealKey);
  if (!current) throw new TypeError('There is no seal key.');
  if (accepted.length + 1 > acceptedKeysMax) {
    throw new TypeError(`At most ${acceptedKeysMax} seal keys are accepted at a time.`);
  }
  return { current, accepted };
}

export function sealKeyText({ id, secret }: SealKey): string {
  return `${id}:${Buffer.from(secret).toString('base64')}`;
}

/** Says which one is wrong, and nothing of the secret. */
function parseSealKey(text: string, index: number): SealKey {
  const match = /^([\w-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(text);
  if (!match?.[1] || !match[2]) {
    throw new TypeError(
      `Seal key ${index + 1} is not "id:secret" in base64. Each key has a line of its own.`,
    );
  }
  return { id: match[1], secret: Buffer.from(match[2], 'base64') };
}
