import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSealer } from './seal.ts';

const first = { id: 'k1', secret: Buffer.alloc(32, 1) };
const second = { id: 'k2', secret: Buffer.alloc(32, 2) };
const sealer = createSealer({ current: first });

describe('a seal', () => {
  test('is the key id and an HMAC-SHA256 over the length of the subject, the subject and the body', () => {
    const framed = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('a.b'), Buffer.from('body')]);
    const mac = createHmac('sha256', first.secret).update(framed).digest('hex');
    expect(sealer.seal('a.b', 'body')).toBe(`k1.${mac}`);
    expect(sealer.seal('a.b', Buffer.from('body'))).toBe(`k1.${mac}`);
  });

  test('fits its subject and body, and no other', () => {
    const parts = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(parts, parts, ([subject, body], [otherSubject, otherBody]) => {
        const seal = sealer.seal(subject, body);
        expect(sealer.check(subject, body, seal)).toBe(true);
        const isSame = subject === otherSubject && body === otherBody;
        expect(sealer.check(otherSubject, otherBody, seal)).toBe(isSame);
      }),
    );
  });

  test('does not fit when characters move between subject and body', () => {
    const seal = sealer.seal('placet.act.a', '.b{}');
    expect(sealer.check('placet.act.a.b', '{}', seal)).toBe(false);
    expect(sealer.check('', 'placet.act.a.b{}', seal)).toBe(false);
  });

  test('does not fit with any character changed', () => {
    const seal = sealer.seal('s', 'b');
    for (let at = 0; at < seal.length; at++) {
      const other = seal[at] === '0' ? '1' : '0';
      expect(sealer.check('s', 'b', seal.slice(0, at) + other + seal.slice(at + 1)), `character ${at}`).toBe(
        false,
      );
    }
  });

  test.each([
    undefined,
    '',
    '.',
    'k1',
    'k1.',
    'k1.00',
    `k1.${'0'.repeat(64)}`,
    `k1.${'g'.repeat(64)}`,
    `.${'0'.repeat(64)}`,
    `__proto__.${'0'.repeat(64)}`,
    sealer.seal('s', 'b').toUpperCase(),
    `${sealer.seal('s', 'b')}\n`,
    `${sealer.seal('s', 'b')}00`,
  ])('%s is none', (seal) => {
    expect(sealer.check('s', 'b', seal)).toBe(false);
  });
});

describe('rotation', () => {
  test('two keys are accepted and one is used', () => {
    const rotating = createSealer({ current: second, accepted: [first] });
    expect(rotating.seal('s', 'b')).toMatch(/^k2\./);
    expect(rotating.check('s', 'b', sealer.seal('s', 'b'))).toBe(true);
    expect(rotating.check('s', 'b', rotating.seal('s', 'b'))).toBe(true);
  });

  test('an unknown key id, and a known one on the seal of another key, are refused', () => {
    const after = createSealer({ current: second });
    expect(after.check('s', 'b', sealer.seal('s', 'b'))).toBe(false);
    expect(after.check('s', 'b', sealer.seal('s', 'b').replace('k1.', 'k2.'))).toBe(false);
  });
});

describe('keys', () => {
  test('short secrets, odd ids and two keys with one id are refused', () => {
    expect(() => createSealer({ current: { id: 'k1', secret: Buffer.alloc(31) } })).toThrow(/at least 32/);
    expect(() => createSealer({ current: { ...first, id: 'k.1' } })).toThrow(/id of a seal key/);
    expect(() => createSealer({ current: first, accepted: [{ ...second, id: 'k1' }] })).toThrow(
      /Two seal keys/,
    );
  });
});
