import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable, printableJson } from './printable.ts';

const steering = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const anyText = fc.string({ unit: 'binary' });

describe('a text of somebody else', () => {
  test('becomes one line', () => {
    expect(printable('two\r\n\tlines')).toBe('two lines');
  });

  test('cannot steer a terminal', () => {
    expect(printable('\u001b[31mred\u0007 \u009b2J\u202Eback')).toBe('[31mred 2Jback');
    fc.assert(fc.property(anyText, (text) => !steering.test(printable(text))));
  });

  test('keeps what can be read', () => {
    expect(printable('Grüße, 東京 👩‍🚀')).toBe('Grüße, 東京 👩‍🚀');
  });

  test('stays what it is within JSON, where it is escaped', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const document = printableJson({ text });
        expect(document.replaceAll('\n', '')).not.toMatch(steering);
        expect(JSON.parse(document)).toEqual({ text });
      }),
    );
  });
});
