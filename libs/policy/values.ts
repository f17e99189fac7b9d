import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { oneOf, quote } from './problems.ts';
import type { Source } from './yaml.ts';

/** Of a span, from its shortest to its longest. */
export type Range = { min: string; max: string };

export const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The value of a field that holds one; what it holds else is a problem. */
export const readValue = <T>(
  source: Source,
  field: Field | undefined,
  what: string,
  expected: string,
  read: (value: unknown) => T | undefined,
): T | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const value = isScalar(node) ? read(node.value) : undefined;
  if (value !== undefined) return value;
  source.problem(node, field.path, `${what}: expected ${expected}, found ${source.describe(node)}`);
  return undefined;
};

export const readNumber = (
  source: Source,
  field: Field | undefined,
  what: string,
  min: number,
  max: number,
) =>
  readValue(source, field, what, `a whole number from ${min} to ${max}`, (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : undefined,
  );

export const readBoolean = (source: Source, field: Field | undefined, what: string) =>
  readValue(source, field, what, 'true or false', (value) =>
    typeof value === 'boolean' ? value : undefined,
  );

export const readWord = <W extends string>(
  source: Source,
  field: Field | undefined,
  what: string,
  words: readonly W[],
) => readValue(source, field, what, oneOf(words), (value) => words.find((word) => word === value));

export const readSpan = (source: Source, field: Field | undefined, what: string, { min, max }: Range) =>
  readValue(source, field, what, `a span from ${quote(min)} to ${quote(max)}, as "15m"`, (value) => {
    const ms = typeof value === 'string' ? spanMs(value) : undefined;
    return ms !== undefined && ms >= (spanMs(min) ?? 0) && ms <= (spanMs(max) ?? 0) ? ms : undefined;
  });

export const spanMs = (text: string): number | undefined => {
  const match = /^(?<count>\d{1,9})(?<unit>[smhd])$/.exec(text);
  const { count, unit } = match?.groups ?? {};
  return count && unit ? Number(count) * unitMs[unit as keyof typeof unitMs] : undefined;
};
