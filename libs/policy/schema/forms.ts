import type { FieldOf } from '../fields.ts';
import type { Grammar } from '../grammar.ts';
import { nameCharsMax } from '../limits.ts';
import { type Range, spanMs, unitMs } from '../values.ts';

/**
 * JSON Schema, draft-07. A form may take more than the parser does, and never less: an editor that marks what Placet
 * would accept is one whose marks nobody believes.
 */
export type Schema = { readonly [keyword: string]: unknown };

/** A map with the fields of a grammar: the compiler misses one that is left out. */
export const mapOf = <G extends Grammar>(
  grammar: G,
  description: string,
  properties: Record<FieldOf<G>, Schema>,
  more: Schema = {},
): Schema => ({
  description,
  type: 'object',
  required: Object.keys(grammar.required),
  properties,
  additionalProperties: false,
  ...more,
});

type ListRules = { min?: number; max: number; distinct?: boolean };

export const listOf = (
  description: string,
  items: Schema,
  { min, max, distinct }: ListRules,
  more: Schema = {},
): Schema => ({
  description,
  type: 'array',
  items,
  ...(min !== undefined && { minItems: min }),
  maxItems: max,
  ...(distinct && { uniqueItems: true }),
  ...more,
});

export const word = (description: string, words: readonly string[], more: Schema = {}): Schema => ({
  description,
  type: 'string',
  enum: words,
  ...more,
});

export const text = (description: string, more: Schema = {}): Schema => ({
  description,
  type: 'string',
  pattern: '\\S',
  patternErrorMessage: 'expected a text, found an empty one',
  maxLength: nameCharsMax,
  ...more,
});

/** A pattern over names, or a name that one could match. */
export const glob = (description: string, more: Schema = {}): Schema => ({
  description,
  type: 'string',
  pattern: '^\\S([\\s\\S]*\\S)?$',
  patternErrorMessage: 'expected a name or a pattern, without a space at its ends',
  maxLength: nameCharsMax,
  ...more,
});

export const expression = (description: string, charsMax: number, more: Schema = {}): Schema => ({
  description,
  type: 'string',
  minLength: 1,
  maxLength: charsMax,
  ...more,
});

export const between = ({ min, max }: Range): string => `"${min}" to "${max}"`;

export const span = (description: string, range: Range, more: Schema = {}): Schema => ({
  description,
  type: 'string',
  pattern: spanPattern(range),
  patternErrorMessage: `expected a span from ${between(range)}, as "15m"`,
  ...more,
});

/** The form of a text by the parser's own expression. */
export const form = (description: string, expected: string, own: RegExp, more: Schema = {}): Schema => ({
  description,
  type: 'string',
  pattern: portable(own),
  patternErrorMessage: `expected ${expected}`,
  ...more,
});

/** Not every validator knows `\p`: characters that cannot be seen are left to the parser. */
export const portable = ({ source }: RegExp): string => source.replaceAll('\\p{C}', '');

/** Of each unit the counts that are not longer than the longest span. None is shorter than the shortest, which is one second. */
const spanPattern = ({ max }: Range): string => {
  const longest = spanMs(max) ?? 0;
  const counts = Object.entries(unitMs).flatMap(([unit, ms]) => {
    const most = Math.floor(longest / ms);
    return most < 1 ? [] : [`(${countsTo(most)})${unit}`];
  });
  return `^0*(${counts.join('|')})$`;
};

/** The whole numbers from 1 to this one, as alternatives: what a pattern says of a number it says digit by digit. */
const countsTo = (most: number): string => {
  const digits = String(most);
  const shorter = digits.length > 1 ? [`[1-9]${anyDigits(digits.length - 2)}`] : [];
  const smaller = [...digits].flatMap((digit, place) => {
    const least = place === 0 ? 1 : 0;
    const below = Number(digit) - 1;
    if (below < least) return [];
    const rest = digits.length - place - 1;
    return [`${digits.slice(0, place)}[${least}-${below}]${rest === 0 ? '' : `\\d{${rest}}`}`];
  });
  return [...shorter, ...smaller, digits].join('|');
};

const anyDigits = (most: number): string => (most === 0 ? '' : `\\d{0,${most}}`);
