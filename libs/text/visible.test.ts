import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shortened, visible } from './visible.ts';

const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

describe('what is not seen is spelled out', () => {
  test.each([
    ['a turn of the writing', 'pay \u202e001', 'pay \\u{202e}001'],
    ['no width', 'pay\u200bpal', 'pay\\u{200b}pal'],
    ['a control', 'a\u0007b\u001b[31m', 'a\\u{7}b\\u{1b}[31m'],
    ['a separator', 'a\u2028b', 'a\\u{2028}b'],
    ['a filler', 'a\u3164b', 'a\\u{3164}b'],
    ['a tag', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['half a character', 'a\ud800b', 'a\\u{d800}b'],
  ])('%s', (_, text, seen) => {
    expect(visible(text)).toBe(seen);
  });

  test('and what is seen stays', () => {
    const text = 'Ä 語 🙂 e\u0301\nnext line';
    expect(visible(text)).toBe(text);
    expect(visible('a\r\nb\rc\td')).toBe('a\nb\nc d');
  });

  test('of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text).replaceAll('\n', '')).not.toMatch(hidden);
      }),
    );
  });
});

test('a long text is cut at a whole character, and says how long it was', () => {
  expect(shortened('x'.repeat(50), 50)).toHaveLength(50);
  expect(shortened('x'.repeat(51), 50)).toMatch(/^x+ … \(51 characters\)$/);
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.integer({ min: 30, max: 100 }),
      (text, max) => {
        const cut = shortened(text, max);
        expect(cut.length).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
      },
    ),
  );
});
