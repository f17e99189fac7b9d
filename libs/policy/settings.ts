import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { quorumMax, timeoutMs, validForMs } from './limits.ts';
import { oneOf, quote } from './problems.ts';
import type { Decide, RuleSettings } from './types.ts';
import type { Source } from './yaml.ts';

type Fields = ReadonlyMap<string, Field>;
type Range = { min: string; max: string };

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Which decisions a setting goes with. One that has no effect would say something that is not so. */
const goesWith = {
  quorum: ['require_approval'],
  separate: ['require_approval'],
  timeout: ['require_approval'],
  on_timeout: ['require_approval'],
  require_reason: ['require_approval'],
  valid_for: ['require_approval', 'allow'],
} as const satisfies Record<string, readonly Decide[]>;

/** How a rule wants people to be asked, and how long its permission lasts. */
export const readSettings = (source: Source, fields: Fields, decide: Decide | undefined): RuleSettings => {
  for (const [name, decides] of Object.entries(goesWith) as [string, readonly Decide[]][]) {
    const field = fields.get(name);
    if (!field || decide === undefined || decides.includes(decide)) continue;
    source.problem(
      field.key,
      field.path,
      `${name}: only a rule that decides ${oneOf(decides)} has it, this one decides ${decide}`,
    );
  }
  const quorum = readNumber(source, fields.get('quorum'), 'quorum', 1, quorumMax);
  const separate = readBoolean(source, fields.get('separate'), 'separate');
  const timeout = readSpan(source, fields.get('timeout'), 'timeout', timeoutMs);
  const onTimeout = readWord(source, fields.get('on_timeout'), 'on_timeout', ['deny', 'allow'] as const);
  const requireReason = readWord(source, fields.get('require_reason'), 'require_reason', [
    'never',
    'on_reject',
    'always',
  ] as const);
  const validFor = readSpan(source, fields.get('valid_for'), 'valid_for', validForMs);
  return {
    ...(quorum === undefined ? {} : { quorum }),
    ...(separate === undefined ? {} : { separate }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    ...(onTimeout === undefined ? {} : { onTimeout }),
    ...(requireReason === undefined ? {} : { requireReason }),
    ...(validFor === undefined ? {} : { validForMs: validFor }),
  };
};

/** The value of a field that holds one; what it holds else is a problem. */
const readValue = <T>(
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

const readNumber = (source: Source, field: Field | undefined, what: string, min: number, max: number) =>
  readValue(source, field, what, `a whole number from ${min} to ${max}`, (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : undefined,
  );

const readBoolean = (source: Source, field: Field | undefined, what: string) =>
  readValue(source, field, what, 'true or false', (value) =>
    typeof value === 'boolean' ? value : undefined,
  );

const readWord = <W extends string>(
  source: Source,
  field: Field | undefined,
  what: string,
  words: readonly W[],
) => readValue(source, field, what, oneOf(words), (value) => words.find((word) => word === value));

const readSpan = (source: Source, field: Field | undefined, what: string, { min, max }: Range) =>
  readValue(source, field, what, `a span from ${quote(min)} to ${quote(max)}, as "15m"`, (value) => {
    const ms = typeof value === 'string' ? spanMs(value) : undefined;
    return ms !== undefined && ms >= (spanMs(min) ?? 0) && ms <= (spanMs(max) ?? 0) ? ms : undefined;
  });

const spanMs = (text: string): number | undefined => {
  const match = /^(?<count>\d{1,9})(?<unit>[smhd])$/.exec(text);
  const { count, unit } = match?.groups ?? {};
  return count && unit ? Number(count) * unitMs[unit as keyof typeof unitMs] : undefined;
};
