import { isMap, isScalar, type YAMLMap } from 'yaml';
import type { Surroundings } from './cel/condition.ts';
import { type Counter, millionths } from './counters.ts';
import { readExpression } from './expressions.ts';
import { type Field, readFields } from './fields.ts';
import { budgetGrammar, limitGrammar } from './grammar.ts';
import { countMax, perMs, sumMax } from './limits.ts';
import type { Decide } from './types.ts';
import { readNumber, readSpan, readValue, readWord } from './values.ts';
import type { Source } from './yaml.ts';

type Fields = ReadonlyMap<string, Field>;
export const elseWords = ['require_approval', 'deny'] as const;

type OfRule = { name: string | undefined; decide: Decide | undefined; surroundings: Surroundings };

/** What bounds a rule that allows. */
export const readCounters = (source: Source, fields: Fields, rule: OfRule): Counter[] =>
  [
    readCounter(source, fields.get('limit'), 'limit', rule),
    readCounter(source, fields.get('budget'), 'budget', rule),
  ].filter((counter) => counter !== undefined);

const readCounter = (
  source: Source,
  field: Field | undefined,
  kind: Counter['kind'],
  { name, decide, surroundings }: OfRule,
): Counter | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  if (decide !== undefined && decide !== 'allow') {
    source.problem(
      field.key,
      field.path,
      `${kind}: it counts what a rule allows by itself, and this one decides ${decide}`,
    );
  }
  if (name === undefined) {
    source.problem(field.key, field.path, `${kind}: the rule needs a name, under which it is counted`);
  }
  if (!isMap(node)) {
    const example =
      kind === 'limit' ? '{ count: 10, per: 1h }' : '{ sum: payload.amount, max: 500, per: 24h }';
    source.problem(
      node,
      field.path,
      `${kind}: expected a map, as ${example}, found ${source.describe(node)}`,
    );
    return undefined;
  }
  return kind === 'limit'
    ? readLimit(source, node, field.path, { name: name ?? '', surroundings })
    : readBudget(source, node, field.path, { name: name ?? '', surroundings });
};

type Named = { name: string; surroundings: Surroundings };

const readLimit = (source: Source, node: YAMLMap, path: string, { name, surroundings }: Named) => {
  const fields = readFields(source, node, limitGrammar, path);
  const count = readNumber(source, fields.get('count'), 'count', 1, countMax);
  const shared = readShared(source, fields, surroundings);
  if (count === undefined || !shared) return undefined;
  const { per, by, otherwise } = shared;
  return {
    kind: 'limit',
    counted: JSON.stringify(['limit', name, per.ms, by?.text ?? null]),
    max: BigInt(count),
    perMs: per.ms,
    label: `${count} per ${per.text}`,
    ...(by && { by }),
    otherwise,
  } as const satisfies Counter;
};

const readBudget = (source: Source, node: YAMLMap, path: string, { name, surroundings }: Named) => {
  const fields = readFields(source, node, budgetGrammar, path);
  const sum = readExpression(source, fields.get('sum'), 'sum', surroundings);
  const max = readSum(source, fields.get('max'));
  const shared = readShared(source, fields, surroundings);
  if (!sum || max === undefined || !shared) return undefined;
  const { per, by, otherwise } = shared;
  return {
    kind: 'budget',
    counted: JSON.stringify(['budget', name, per.ms, by?.text ?? null, sum.text]),
    max: millionths(max),
    perMs: per.ms,
    label: `${max} per ${per.text}`,
    ...(by && { by }),
    sum,
    otherwise,
  } as const satisfies Counter;
};

const readShared = (source: Source, fields: Fields, surroundings: Surroundings) => {
  const perMsRead = readSpan(source, fields.get('per'), 'per', perMs);
  const by = readExpression(source, fields.get('by'), 'by', surroundings);
  const otherwise = readWord(source, fields.get('else'), 'else', elseWords) ?? 'require_approval';
  if (perMsRead === undefined || (fields.has('by') && !by)) return undefined;
  const written = fields.get('per')?.value;
  return { per: { ms: perMsRead, text: isScalar(written) ? String(written.value) : '' }, by, otherwise };
};

const readSum = (source: Source, field: Field | undefined) =>
  readValue(source, field, 'max', `a number up to ${sumMax} with at most 6 decimals`, (value) => {
    if (typeof value !== 'number' || !(value > 0) || value > sumMax) return undefined;
    return Number(value.toFixed(6)) === value ? value : undefined;
  });
