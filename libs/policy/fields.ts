import { isScalar, type Pair, type YAMLMap } from 'yaml';
import { type Grammar, hasField, ownerOf } from './grammar.ts';
import { nearest } from './nearest.ts';
import { oneOf, quote } from './problems.ts';
import type { Node, Source } from './yaml.ts';

export type Field = { key: Node; value: Node; path: string; isEmpty: boolean };

export type FieldOf<G extends Grammar> = G['fields'][number];

/** What a map holds, by name; a second one of a name is a problem. `noun` is what has these names. */
export const readEntries = (
  source: Source,
  map: YAMLMap,
  path: string,
  noun: string,
): ReadonlyMap<string, Field> => {
  const entries = new Map<string, Field>();
  for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
    if (source.full()) break;
    if (!isScalar(key)) {
      source.problem(key, path, `expected the name of ${noun}, found ${source.describe(key)}`);
      continue;
    }
    const name = String(key.value);
    const entryPath = join(path, name);
    const earlier = entries.get(name);
    if (earlier) {
      const line = source.line(earlier.key);
      source.problem(key, entryPath, `${quote(name)} is written twice, first in line ${line}`);
      continue;
    }
    entries.set(name, { key, value: value ?? key, path: entryPath, isEmpty: nothing(value) });
  }
  return entries;
};

/** The fields of a map; one that the grammar has not, and every second one, is a problem. */
export const readFields = <G extends Grammar>(
  source: Source,
  map: YAMLMap,
  grammar: G,
  path: string,
): ReadonlyMap<FieldOf<G>, Field> => {
  const entries = readEntries(source, map, path, `a field of ${grammar.noun}`);
  const fields = new Map<string, Field>();
  for (const [name, field] of entries) {
    if (!hasField(grammar, name)) source.problem(field.key, field.path, refusal(grammar, name));
    else if (field.isEmpty) source.problem(field.key, field.path, `${name} has no value`);
    else fields.set(name, field);
  }
  for (const [name, hint] of Object.entries(grammar.required)) {
    if (!entries.has(name)) source.problem(map, join(path, name), `${grammar.noun} needs ${name}: ${hint}`);
  }
  // Only names that the grammar has were put in.
  return fields as ReadonlyMap<string, Field> as ReadonlyMap<FieldOf<G>, Field>;
};

const nothing = (value: Node | null): value is null =>
  value === null || (isScalar(value) && value.value === null);

const join = (path: string, name: string): string => {
  const step = /^[\w-]{1,40}$/.test(name) ? name : quote(name);
  return path === '' ? step : `${path}.${step}`;
};

const refusal = (grammar: Grammar, name: string): string => {
  if (name === '<<') return 'merge keys ("<<") are not part of the policy language: write the fields out';
  const unknown = `unknown field ${quote(name)} in ${grammar.noun}`;
  const owner = ownerOf(name);
  if (owner) return `${unknown}: it belongs to ${owner.noun}`;
  const like = nearest(name, grammar.fields);
  if (like === undefined) return `${unknown}: expected ${oneOf(grammar.fields)}`;
  return `${unknown}: did you mean ${quote(like)}?`;
};
