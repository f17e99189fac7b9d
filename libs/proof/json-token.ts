import { NotJson } from './json-problem.ts';

/** Up to 15 significant digits always survive a double (its decimal precision, DBL_DIG). */
const safeDigitsMax = 15;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const LOWER_E = 0x65;

export function skipSpace(text: string, at: number): number {
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
}

/** Where the string that opens at `start` ends: after its closing quote. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code === BACKSLASH) at = endOfEscape(text, at) - 1;
    else if (!(code >= 0x20)) throw new NotJson(at, 'the closing quote (control characters are escaped)');
  }
}

function endOfEscape(text: string, at: number): number {
  const letter = text.charAt(at + 1);
  if (letter !== '' && '"\\/bfnrt'.includes(letter)) return at + 2;
  if (letter === 'u' && /^[0-9A-Fa-f]{4}$/.test(text.slice(at + 2, at + 6))) return at + 6;
  throw new NotJson(at, 'an escape that JSON has');
}

/** The value of the string between `start` and `end`, quotes included. */
export function unquote(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  return raw.includes('\\') ? JSON.parse(`"${raw}"`) : raw;
}

/** Whether the string has no half of a surrogate pair, neither raw nor written as `\uD800`. */
export function isWellFormedString(text: string, start: number, end: number): boolean {
  const raw = text.slice(start, end);
  return (raw.includes('\\u') ? (JSON.parse(raw) as string) : raw).isWellFormed();
}

export function endOfNumber(text: string, start: number): number {
  let at = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (!isDigit(text.charCodeAt(at))) throw new NotJson(at, at === start ? 'a value' : 'a digit');
  at = text.charCodeAt(at) === ZERO ? at + 1 : endOfDigits(text, at);
  if (text.charCodeAt(at) === DOT) at = endOfDigits(text, at + 1);
  const code = text.charCodeAt(at);
  if (code === LOWER_E || code === UPPER_E) {
    const sign = text.charCodeAt(at + 1);
    at = endOfDigits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

function endOfDigits(text: string, start: number): number {
  let at = start;
  while (isDigit(text.charCodeAt(at))) at++;
  if (at === start) throw new NotJson(at, 'a digit');
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

/** Short enough, and without an exponent, to need no closer look at its digits. */
export function isShortDecimal(text: string, start: number, end: number): boolean {
  if (end - start > safeDigitsMax) return false;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === LOWER_E || code === UPPER_E) return false;
  }
  return true;
}
