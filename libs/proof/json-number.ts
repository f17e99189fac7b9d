/** No double needs more to be written out (the longest shortest form is 24 characters). */
const sourceCharsMax = 400;

/**
 * Whether a double carries this JSON number exactly: the decimal value written in the source is the one
 * that JavaScript writes back. The source must fit JSON's grammar.
 */
export function isCarriedExactly(source: string): boolean {
  if (source.length > sourceCharsMax) return false;
  const value = Number(source);
  return Number.isFinite(value) && decimalValue(source) === decimalValue(String(value));
}

/** One spelling for each decimal value: `1.10`, `11e-1` and `1.1` are all `11e-1`; every zero is `0`. */
function decimalValue(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e');
  const [integer = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const withoutLeading = (integer + fraction).replace(/^0+/, '');
  if (withoutLeading === '') return '0';
  const digits = trimTrailingZeros(withoutLeading);
  const scale = Number(exponent) - fraction.length + (withoutLeading.length - digits.length);
  return `${mantissa.startsWith('-') ? '-' : ''}${digits}e${scale}`;
}

/** A loop, because `/0+$/` takes quadratic time on long runs of zeros. */
function trimTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
