import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argumentsOf } from './arguments.ts';

const room = { lines: 40, chars: 2900 };
const linesOf = (payload: unknown) => argumentsOf(payload, room).lines;

test('each argument is a line with its name', () => {
  expect(
    linesOf({
      amount: 20,
      to: { name: 'Ann', 'two words': true },
      items: [{ sku: 'a' }, { sku: 'b' }],
      none: {},
    }),
  ).toEqual([
    'amount: 20',
    'to.name: Ann',
    'to."two words": true',
    'items[0].sku: a',
    'items[1].sku: b',
    'none: {}',
  ]);
});

test('a text that could be taken for something else stands in quotes', () => {
  expect(
    linesOf({ a: '20', b: 20, c: 'true', d: true, e: '', f: ' x', g: 'one\ntwo: 3', h: 'null', i: null }),
  ).toEqual([
    'a: "20"',
    'b: 20',
    'c: "true"',
    'd: true',
    'e: ""',
    'f: " x"',
    'g: "one\\ntwo: 3"',
    'h: "null"',
    'i: null',
  ]);
});

test('no value makes a line that looks like another argument', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double(), fc.boolean())), (payload) => {
      const lines = linesOf(payload);
      for (const line of lines) expect(line).not.toContain('\n');
    }),
  );
});

test('all that there is is shown or counted', () => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, 'x'.repeat(n % 500)]));
  const { lines, left } = argumentsOf(many, room);
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.join('\n').length).toBeLessThanOrEqual(room.chars);
  expect(lines.length + left).toBe(3000);
  expect(argumentsOf({ text: 'x'.repeat(200_000) }, room)).toEqual({
    lines: [expect.stringMatching(/^text: x+ … \(200000 characters\)$/)],
    left: 0,
  });
});

test('what is no object is shown as it is', () => {
  expect(linesOf('restart')).toEqual(['restart']);
  expect(linesOf([])).toEqual([]);
  expect(linesOf(undefined)).toEqual([]);
});
