import { randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256Hex } from './canonical.ts';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomChars = 30;
const checksumChars = 6;
const idChars = 10;

export type CredentialKind = 'agent' | 'person';

/** `text` is shown once and kept nowhere; `id` finds the entry and `hash` proves the rest. */
export type Credential = { text: string; id: string; hash: string };

export function createCredential(kind: CredentialKind): Credential {
  const random = randomBase62(randomChars);
  const body = `placet_${kind}_${random}`;
  const text = body + checksumOf(body);
  return { text, id: random.slice(0, idChars), hash: sha256Hex(text) };
}

const shape = /^(?<body>placet_(?<kind>agent|person)_(?<random>[0-9A-Za-z]{30}))(?<checksum>[0-9A-Za-z]{6})$/;

/** Says whether a text can be a key at all, before anything is looked up. It does not say that it is one. */
export function parseCredential(text: string): { kind: CredentialKind; id: string } | null {
  const { body, kind, random, checksum } = shape.exec(text)?.groups ?? {};
  if (body === undefined || random === undefined || checksumOf(body) !== checksum) return null;
  return { kind: kind as CredentialKind, id: random.slice(0, idChars) };
}

/** SHA-256 is enough for 178 random bits; a slow hash would only make every call slow. */
export function matchesHash(text: string, hash: string): boolean {
  const wanted = Buffer.from(hash);
  const given = Buffer.from(sha256Hex(text));
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function checksumOf(body: string): string {
  let rest = crc32(body);
  let digits = '';
  for (let place = 0; place < checksumChars; place++) {
    digits = alphabet.charAt(rest % alphabet.length) + digits;
    rest = Math.floor(rest / alphabet.length);
  }
  return digits;
}

/** Bytes of 248 and above are thrown away: 248 is four times 62, so every character is as likely. */
function randomBase62(chars: number): string {
  const fairBytes = Math.floor(256 / alphabet.length) * alphabet.length;
  let text = '';
  while (text.length < chars) {
    for (const byte of randomBytes(chars)) {
      if (byte < fairBytes && text.length < chars) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
}
