import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSecretBox, SecretBoxError } from './secret-box.ts';

const box = createSecretBox(Buffer.alloc(32, 7));
const other = createSecretBox(Buffer.alloc(32, 8));

describe('a secret box', () => {
  test('gives back what was put in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, context) => {
        expect(box.decrypt(box.encrypt(plain, context), context)).toBe(plain);
      }),
    );
  });

  test('looks different every time, and shows nothing', () => {
    const one = box.encrypt('xoxb-secret', 'slack');
    expect(one).toMatch(/^v1\.[\w-]+$/);
    expect(one).not.toBe(box.encrypt('xoxb-secret', 'slack'));
    expect(Buffer.from(one.slice(3), 'base64url').toString('latin1')).not.toContain('xoxb');
  });

  test('opens with its own key and context only', () => {
    const sealed = box.encrypt('xoxb-secret', 'slack');
    expect(() => other.decrypt(sealed, 'slack')).toThrow(SecretBoxError);
    expect(() => box.decrypt(sealed, 'email')).toThrow(/another master key or for another place/);
    expect(() => box.decrypt(sealed, 'email')).toThrow(
      expect.objectContaining({ code: 'SECRET_UNREADABLE' }),
    );
  });

  test('does not open with any character changed', () => {
    const sealed = box.encrypt('xoxb-secret', 'slack');
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
      expect(() => box.decrypt(changed, 'slack'), `character ${at}`).toThrow(SecretBoxError);
    }
  });

  test.each([
    '',
    'v1',
    'v1.',
    'v1.AAAA',
    'v2.AAAA',
    'plain',
    `${box.encrypt('x', 'c')}.x`,
    `${box.encrypt('x', 'c')}=`,
  ])('%s is none', (text) => {
    expect(() => box.decrypt(text, 'c')).toThrow(/not a secret box/);
  });

  test('a cut box, with a shorter tag, is refused', () => {
    const bytes = Buffer.from(box.encrypt('a longer secret than most', 'c').slice(3), 'base64url');
    for (let length = 0; length < bytes.length; length++) {
      const cut = `v1.${bytes.subarray(0, length).toString('base64url')}`;
      expect(() => box.decrypt(cut, 'c')).toThrow(SecretBoxError);
    }
  });

  test('a master key of another length is refused', () => {
    expect(() => createSecretBox(Buffer.alloc(16))).toThrow(/needs 32/);
  });
});
