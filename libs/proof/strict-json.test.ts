import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './strict-json.ts';

function problemOf(input: string | Uint8Array) {
  const result = parseJson(input);
  if (result.ok) throw new Error(`accepted: ${JSON.stringify(result.value)?.slice(0, 100)}`);
  return result.problem;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts near to JSON: made of its parts, and JSON with a few characters changed. */
const jsonSoup = fc
  .array(
    fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '"a"', '"b":', '1', '-', '0', '.', 'e', 'E', '+', '5', '10.50'],
      ...[
        'true',
        'false',
        'null',
        'nul',
        '\\',
        '\\u',
        '\\u0041',
        '\\ud83d',
        '\\n',
        ' ',
        '\n',
        '\t',
        '\u00a0',
      ],
      ...['\ufeff', '\u0000', '\u2028', 'é', '😀', "'", '/', 'NaN'],
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const damagedJson = fc
  .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '0', '\\', ' ', '\u0001', 'e'))
  .map(([text, at, put]) => {
    const position = at % (text.length + 1);
    return text.slice(0, position) + put + text.slice(position + 1);
  });

describe('ordinary JSON', () => {
  test.each([
    '{}',
    '[]',
    ' \t\r\n{ "a" : [ 1 , { } , [ ] , null , true , false , "x" ] } \n',
    '"a string"',
    '0',
    'null',
    '{"a":{"a":1},"b":{"a":1}}',
    '["\\ud83d\\ude00","😀","\\u0000","\\/\\b\\f\\n\\r\\t\\"\\\\","\u2028"]',
  ])('%s is read as JSON.parse reads it', (text) => {
    expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
    expect(parseJson(Buffer.from(text))).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test('any value written by JSON.stringify comes back', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('__proto__'));
        expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  test('a view into a larger buffer is read alone', () => {
    expect(parseJson(Buffer.from('xx[1]xx').subarray(2, 5))).toEqual({ ok: true, value: [1] });
  });
});

describe('what is no JSON', () => {
  test.each([jsonSoup, damagedJson])('not_json is said exactly when JSON.parse refuses', (texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const result = parseJson(text);
        expect(result.ok || result.problem.kind === 'not_allowed').toBe(isJson(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    ['', 'expected a value at line 1, column 1 (position 0), found the end of the text'],
    ['[NaN]', 'found NaN, which JSON does not have'],
    ['{"a":-Infinity}', 'expected a digit at line 1, column 7'],
    ['[1,]', 'expected a value at line 1, column 4 (position 3), found "]"'],
    ['{"a":1,}', 'expected a key in double quotes at line 1, column 8'],
    ['{\n  "a": 1\n  "b": 2\n}', 'expected "," or "}" at line 3, column 3 (position 13), found """'],
    ['\ufeff{}', 'found a byte order mark (U+FEFF)'],
    ['{} {}', 'expected the end of the text at line 1, column 4'],
    ["{'a':1}", 'expected a key in double quotes'],
    ['[01]', 'expected "," or "]" at line 1, column 3'],
    ['[.5]', 'expected a value'],
    ['[1.]', 'expected a digit'],
    ['["\\x41"]', 'expected an escape that JSON has'],
    ['["a\nb"]', 'control characters are escaped'],
    ['{"a"}', 'expected ":" after the key'],
  ])('%j is refused with a place', (text, message) => {
    expect(problemOf(text)).toMatchObject({ kind: 'not_json', message: expect.stringContaining(message) });
  });

  test('a byte order mark in bytes is not skipped', () => {
    expect(problemOf(Buffer.from('\ufeff{}')).kind).toBe('not_json');
  });

  test.each([
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('bytes that are not UTF-8 (%s) are refused', (_name, bytes) => {
    expect(problemOf(Uint8Array.from(bytes))).toMatchObject({
      kind: 'not_json',
      message: 'The bytes are not UTF-8.',
    });
  });

  test('a text that breaks a rule and is no JSON either is not_json, with the place where it breaks', () => {
    expect(problemOf('{"a":1,"a":9007199254740993,"b":NaN}')).toMatchObject({ kind: 'not_json', path: 'b' });
    expect(problemOf('['.repeat(70)).kind).toBe('not_json');
  });

  test('a message does not repeat what the text holds', () => {
    expect(problemOf('{"card":"4242424242424242" "cvc":"123"}').message).not.toMatch(/4242|123/);
  });
});

describe('keys', () => {
  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"payload":{"items":[{},{"x y":1,"b":2,"x y":3}]}}', 'payload.items[1]["x y"]'],
    ['{"":1,"":1}', '[""]'],
  ])('%s: a key twice in one object is refused', (text, path) => {
    expect(problemOf(text)).toMatchObject({
      kind: 'not_allowed',
      path,
      message: expect.stringContaining('twice'),
    });
  });

  test('keys are compared as they are read, whatever their spelling', () => {
    const spelled = fc
      .tuple(fc.constantFrom('a', 'b', 'é', '"'), fc.boolean())
      .map(([key, isEscaped]) =>
        isEscaped ? `"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}"` : JSON.stringify(key),
      );
    fc.assert(
      fc.property(fc.array(spelled, { maxLength: 5 }), (keys) => {
        const text = `{${keys.map((key) => `${key}:0`).join(',')}}`;
        expect(parseJson(text).ok).toBe(Object.keys(JSON.parse(text)).length === keys.length);
      }),
    );
  });

  test.each(['{"a":{"__proto__":{"isAdmin":true}}}', '{"a":{"\\u005f_proto__":1}}'])(
    '%s is refused',
    (text) => {
      expect(problemOf(text)).toMatchObject({ kind: 'not_allowed', path: 'a.__proto__' });
    },
  );

  test('constructor, prototype and their like are plain own properties', () => {
    const text = '{"constructor":{"prototype":{"x":1}},"hasOwnProperty":1,"toString":2,"toJSON":3}';
    const result = parseJson(text);
    expect(result).toEqual({ ok: true, value: JSON.parse(text) });
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });
});

describe('surrogates', () => {
  test.each([
    ['{"a":["\\ud800"]}', 'a[0]'],
    ['{"a":"\\uDC00\\uD800"}', 'a'],
    ['{"a":"\\ud83dx\\ude00"}', 'a'],
    ['{"a":"\ud800"}', 'a'],
    ['{"\\ud800":1}', '["\\ud800"]'],
    ['{"\ud800":1}', '["\\ud800"]'],
  ])('half a pair in %j is refused', (text, path) => {
    expect(problemOf(text)).toMatchObject({ kind: 'not_allowed', path });
  });
});

describe('depth', () => {
  test('64 levels are read, 65 are not', () => {
    expect(parseJson('['.repeat(64) + ']'.repeat(64)).ok).toBe(true);
    expect(problemOf('['.repeat(65) + ']'.repeat(65)).kind).toBe('not_allowed');
    expect(parseJson(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`).ok).toBe(true);
    expect(problemOf(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`).kind).toBe('not_allowed');
  });
});

describe('hostile texts of a quarter of a megabyte take linear time', () => {
  const keys = (count: number) => `{${Array.from({ length: count }, (_, n) => `"k${n}":1`).join(',')}}`;
  test.each([
    ['open arrays', '['.repeat(262_144)],
    ['nested arrays', '['.repeat(131_072) + ']'.repeat(131_072)],
    ['50,000 keys', keys(50_000)],
    ['one key 40,000 times', `{${'"a":1,'.repeat(40_000)}"a":1}`],
    ['a number of 100,000 digits', '1'.repeat(100_000)],
    [
      '640 numbers at the limit',
      `[${Array(640)
        .fill(`1${'0'.repeat(398)}`)
        .join(',')}]`,
    ],
    ['60,000 short strings', `[${Array(60_000).fill('"a"').join(',')},"\\n"]`],
    ['escapes', `"${'\\u0041'.repeat(43_000)}"`],
    ['empty lines', '\n'.repeat(262_144)],
    ['a long key that breaks', `{"${'k'.repeat(250_000)}":!}`],
  ])(
    '%s',
    (_name, text) => {
      const result = parseJson(text);
      if (!result.ok) expect(JSON.stringify(result.problem).length).toBeLessThan(8_000);
    },
    // Each takes milliseconds. What grows with the square of its length takes minutes.
    10_000,
  );
});
