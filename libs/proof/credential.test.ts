import { describe, expect, test } from 'vitest';
import { sha256Hex } from './canonical.ts';
import { createCredential, matchesHash, parseCredential } from './credential.ts';

describe.each(['agent', 'person'] as const)('a credential of an %s', (kind) => {
  const { text, id, hash } = createCredential(kind);

  test('is a prefix, 30 random characters and a checksum; its id and hash come from it', () => {
    expect(text).toMatch(new RegExp(`^placet_${kind}_[0-9A-Za-z]{36}$`));
    expect(id).toBe(text.slice(`placet_${kind}_`.length).slice(0, 10));
    expect(hash).toBe(sha256Hex(text));
    expect(parseCredential(text)).toEqual({ kind, id });
  });

  test('every mistyped character is noticed', () => {
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'x' ? 'y' : 'x';
      expect(parseCredential(text.slice(0, at) + other + text.slice(at + 1)), `character ${at}`).toBeNull();
    }
  });

  test.each([
    ['nothing', ''],
    ['a prefix alone', `placet_${kind}_`],
    ['a shorter one', text.slice(0, -1)],
    ['a longer one', `${text}0`],
    ['a line feed after it', `${text}\n`],
    ['a space before it', ` ${text}`],
    ['the prefix of the other kind', text.replace(kind, kind === 'agent' ? 'person' : 'agent')],
  ])('%s is none', (_name, wrong) => {
    expect(parseCredential(wrong)).toBeNull();
  });

  test('only its own text matches its hash', () => {
    expect(matchesHash(text, hash)).toBe(true);
    expect(matchesHash(createCredential(kind).text, hash)).toBe(false);
    expect(matchesHash(text, '')).toBe(false);
    expect(matchesHash(text, hash.slice(1))).toBe(false);
    expect(matchesHash(text, text)).toBe(false);
  });
});

test('a known credential: the checksum is CRC-32 in base 62', () => {
  // CRC-32 of the 43 characters before it is 500724916, by Python's zlib.crc32.
  const body = 'placet_agent_000000000000000000000000000000';
  expect(parseCredential(`${body}0XszQK`)).toEqual({ kind: 'agent', id: '0000000000' });
});

test('all 62 characters are as likely in the random part', () => {
  const counts = new Map<string, number>();
  const credentials = 4_000;
  for (let n = 0; n < credentials; n++) {
    for (const character of createCredential('agent').text.slice(13, 43)) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
  }
  const expected = (credentials * 30) / 62;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(62);
  // 61 degrees of freedom: a fair draw goes over 130 less than once in a million runs.
  expect(chiSquare).toBeLessThan(130);
});
