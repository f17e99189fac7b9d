import type { Expression } from './cel/condition.ts';
import type { Subject } from './cel/subject.ts';

/** A bound on what a rule allows by itself: how often (`limit`), or how much (`budget`), in windows of equal length. */
export type Counter = {
  kind: 'limit' | 'budget';
  /** What it counts, as text: whoever changes that begins another count, and whoever only changes the bound does not. */
  counted: string;
  /** In units: one each time, or millionths of a sum. */
  max: bigint;
  perMs: number;
  /** As people read it: "10 per 1h". */
  label: string;
  by?: Expression;
  sum?: Expression;
  /** What the rule decides when the bound is reached, or cannot be read. */
  otherwise: 'require_approval' | 'deny';
};

/** What one action would use of a counter. */
export type CounterUse = {
  scope: string;
  rule: string;
  kind: Counter['kind'];
  label: string;
  counted: string;
  /** Which of the counts: "" where there is one only. */
  key: string;
  units: bigint;
  max: bigint;
  perMs: number;
};

/** Why a rule does not allow what it would allow. */
export type Refused = 'over' | 'unreadable';

/** By `useId`. */
export type CountersSeen = ReadonlyMap<string, Refused>;

export const useId = ({ scope, counted, key }: CounterUse): string => JSON.stringify([scope, counted, key]);

/** What this request would use of a counter, or why that cannot be told. */
export const useOf = (
  counter: Counter,
  from: { scope: string; rule: string },
  subject: Subject,
): CounterUse | { unsure: string } => {
  const key = keyOf(counter, subject);
  if (typeof key !== 'string') return key;
  const units = unitsOf(counter, subject);
  if (typeof units !== 'bigint') return units;
  const { kind, label, counted, max, perMs } = counter;
  return { ...from, kind, label, counted, key, units, max, perMs };
};

const keyOf = ({ by }: Counter, subject: Subject): string | { unsure: string } => {
  if (!by) return '';
  const found = by.result(subject);
  if ('unsure' in found) return found;
  const { value } = found;
  // A number is the same whether it came as a whole one or not, and never the same as a text.
  if (typeof value === 'number' || typeof value === 'bigint') return `n:${Number(value)}`;
  if (typeof value === 'string') return `s:${value}`;
  if (typeof value === 'boolean') return `b:${value}`;
  return { unsure: 'what it counts by is not a text, a number, true or false' };
};

const unitsOf = ({ sum, max }: Counter, subject: Subject): bigint | { unsure: string } => {
  if (!sum) return 1n;
  const found = sum.result(subject);
  if ('unsure' in found) return found;
  const value = typeof found.value === 'bigint' ? Number(found.value) : found.value;
  if (typeof value !== 'number' || !Number.isFinite(value))
    return { unsure: 'what it adds up is not a number' };
  // Who may subtract could make room for anything.
  if (value < 0) return { unsure: 'what it adds up is less than nothing' };
  // More than any budget, and more than a number of units should have digits.
  return value > sumCeiling ? max + 1n : millionths(value);
};

const sumCeiling = 1e15;
const decimals = 6;

/** Rounded up: many small sums must not add up to nothing. */
export const millionths = (value: number): bigint => {
  const text = value.toFixed(decimals);
  const units = BigInt(text.replace('.', ''));
  return Number(text) < value ? units + 1n : units;
};
