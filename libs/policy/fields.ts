import { isScalar, type Pair, type YAMLMap } from 'yaml';
import { type Grammar, notBuilt, ownerOf, standing } from './grammar.ts';
import { nearest } from './nearest.ts';
import { oneOf, quote } from './problems.ts';
import type { Node, Source } from './yaml.ts';

export type Field = { key: Node; value: Node; path: string };

type Built<G extends Grammar> = {
  [F in keyof G['fields']]: G['fields'][F] extends 'built' ? F : never;
}[keyof G['fields']] &
  string;

/** The fields of a map that this version builds; every other one, and every second one, is a problem. */
export const readFields = <G extends Grammar>(
  source: Source,
  map: YAMLMap,
  grammar: G,
  path: string,
): ReadonlyMap<Built<G>, Field> => {
  const fields = new Map<string, Field>();
  const seen = new Map<string, Node>();
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    if (source.full()) break;
    const { key } = pair;
    if (!isScalar(key)) {
      source.problem(
        key,
        path,
        `expected the name of a field of ${grammar.noun}, found ${source.describe(key)}`,
      );
      continue;
    }
    const name = String(key.value);
    const fieldPath = join(path, name);
    const earlier = seen.get(name);
    if (earlier) {
      source.problem(
        key,
        fieldPath,
        `${quote(name)} is written twice, first in line ${source.line(earlier)}`,
      );
      continue;
    }
    seen.set(name, key);
    if (standing(grammar, name) !== 'built') {
      source.problem(key, fieldPath, refusal(grammar, name));
    } else if (nothing(pair.value)) {
      source.problem(key, fieldPath, `${name} has no value`);
    } else {
      fields.set(name, { key, value: pair.value, path: fieldPath });
    }
  }
  for (const [name, hint] of Object.entries(grammar.required)) {
    if (!seen.has(name)) source.problem(map, join(path, name), `${grammar.noun} needs ${name}: ${hint}`);
  }
  // Only names that the grammar calls built were put in.
  return fields as ReadonlyMap<string, Field> as ReadonlyMap<Built<G>, Field>;
};

const nothing = (value: Node | null): value is null =>
  value === null || (isScalar(value) && value.value === null);

const join = (path: string, name: string): string => {
  const step = /^[\w-]{1,40}$/.test(name) ? name : quote(name);
  return path === '' ? step : `${path}.${step}`;
};

const refusal = (grammar: Grammar, name: string): string => {
  if (standing(grammar, name) === 'later') return notBuilt(quote(name));
  if (name === '<<') return 'merge keys ("<<") are not part of the policy language: write the fields out';
  const unknown = `unknown field ${quote(name)} in ${grammar.noun}`;
  const owner = ownerOf(name);
  if (owner) return `${unknown}: it belongs to ${owner.noun}`;
  const like = nearest(name, Object.keys(grammar.fields));
  if (like === undefined) return `${unknown}: expected ${oneOf(builtNames(grammar))}`;
  const later = standing(grammar, like) === 'later' ? ' (which this version does not build yet)' : '';
  return `${unknown}: did you mean ${quote(like)}${later}?`;
};

const builtNames = (grammar: Grammar): string[] =>
  Object.keys(grammar.fields).filter((name) => standing(grammar, name) === 'built');
