import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCarriedExactly } from './json-number.ts';
import { parseJson } from './strict-json.ts';

/** An independent judge: both decimals as fractions of whole numbers. */
function fractionOf(source: string): [bigint, bigint] {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [integer = '', fraction = ''] = mantissa.split('.');
  const scale = Number(exponent) - fraction.length;
  const digits = BigInt(integer.replace('-', '') + fraction) * (integer.startsWith('-') ? -1n : 1n);
  return scale >= 0 ? [digits * 10n ** BigInt(scale), 1n] : [digits, 10n ** BigInt(-scale)];
}

function isSameDecimal(left: string, right: string): boolean {
  const [a, b] = fractionOf(left);
  const [c, d] = fractionOf(right);
  return a * d === c * b;
}

describe('numbers that a double carries exactly', () => {
  test.each([
    ...['0', '-0', '0.0', '-0.000e-99', '0e999999', '1', '-1', '100', '1e2', '1E+2', '10.0e1', '1000e-1'],
    ...['0.1', '1.10', '0.30', '49.99', '123456789012345', '0.000001', '1e-7', '1e21', '1e23', '5e-324'],
    ...['9007199254740991', '9007199254740992', '-9007199254740994', '1.7976931348623157e308'],
    ...['333333333.3333333', '0.30000000000000004', `1${'0'.repeat(300)}`, `0.${'0'.repeat(300)}1`, '0.1e1'],
  ])('%s', (source) => {
    expect(isCarriedExactly(source)).toBe(true);
    expect(parseJson(`[${source}]`)).toEqual({ ok: true, value: [Number(source)] });
  });
});

describe('numbers that lose digits', () => {
  test.each([
    ...[
      '9007199254740993',
      '-9007199254740993',
      '90071992547409930e-1',
      '0.1000000000000000055511151231257827',
    ],
    ...['1e400', '-1e400', '1e-400', '4.9e-324', '1e999999999999999999999', '1e-999999999999999999999'],
    ...['295147905179352825856', '12345678901234567890', '0.12345678901234567', '1.0000000000000001'],
    ...['333333333.33333329', `0.1${'0'.repeat(400)}`, `1${'0'.repeat(100_000)}`],
  ])('%s', (source) => {
    expect(isCarriedExactly(source)).toBe(false);
    const result = parseJson(`{"payload":{"items":[{"amount":${source}}]}}`);
    expect(result).toMatchObject({
      ok: false,
      problem: {
        kind: 'not_allowed',
        path: 'payload.items[0].amount',
        message: expect.stringContaining('string'),
      },
    });
  });
});

describe('against whole-number arithmetic', () => {
  const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`));
  const source = fc
    .record({
      sign: fc.constantFrom('', '-'),
      integer: fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9][0-9]{0,20}$/)),
      fraction: fc.option(digits(20), { nil: undefined }),
      exponent: fc.option(fc.tuple(fc.constantFrom('e', 'E+', 'e-'), digits(2)), { nil: undefined }),
    })
    .map(
      ({ sign, integer, fraction, exponent }) =>
        sign + integer + (fraction === undefined ? '' : `.${fraction}`) + (exponent?.join('') ?? ''),
    );

  test('the verdict is that of exact fractions', () => {
    fc.assert(
      fc.property(source, (text) => {
        const isExact = isSameDecimal(text, String(Number(text)));
        expect(isCarriedExactly(text)).toBe(isExact);
        expect(parseJson(text).ok).toBe(isExact);
      }),
      { numRuns: 5_000 },
    );
  });

  test('what JavaScript writes is always carried', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, (value) => {
        expect(isCarriedExactly(JSON.stringify(value))).toBe(true);
        expect(isCarriedExactly(value.toExponential())).toBe(true);
      }),
    );
  });
});
