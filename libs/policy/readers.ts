import { isScalar, isSeq } from 'yaml';
import type { Field } from './fields.ts';
import { nameCharsMax } from './limits.ts';
import { lookAlike } from './look-alike.ts';
import { nearest } from './nearest.ts';
import { oneOf, quote } from './problems.ts';
import type { Decide } from './types.ts';
import type { Node, Source } from './yaml.ts';

export const decides: readonly Decide[] = ['allow', 'deny', 'require_approval'];

type ListRules = { min?: number; max: number; example?: string; noun?: string };

/** What a list of a field holds, if it is one, not too short and not too long. */
export const readItems = (
  source: Source,
  field: Field | undefined,
  what: string,
  { min = 0, max, example, noun = what }: ListRules,
): readonly Node[] => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return [];
  const refuse = (message: string): readonly Node[] => {
    source.problem(node, field.path, `${what}: ${message}`);
    return [];
  };
  const hint = example === undefined ? '' : `, as ${example}`;
  if (!isSeq(node)) return refuse(`expected a list${hint}, found ${source.describe(node)}`);
  const count = node.items.length;
  if (count < min) return refuse(`expected at least ${min}${hint}, found ${count === 0 ? 'none' : count}`);
  if (count > max) return refuse(`at most ${max} ${noun}, found ${count}`);
  return node.items as Node[];
};

type ItemRules<T> = ListRules & {
  read: (item: Node, path: string) => T | undefined;
  /** What has to be different from item to item. */
  keyOf?: (one: T) => string;
};

/** What each item of a list says, as far as it can be read. */
export const readListOf = <T>(
  source: Source,
  field: Field | undefined,
  what: string,
  { read, keyOf, ...rules }: ItemRules<T>,
): T[] => {
  const seen = new Set<string>();
  return readItems(source, field, what, rules).flatMap((item, position): T[] => {
    const path = `${field?.path}[${position}]`;
    const one = read(item, path);
    if (one === undefined) return [];
    const key = keyOf?.(one);
    if (key === undefined) return [one];
    if (seen.has(key)) {
      source.problem(item, path, `${what}: ${quote(key)} is listed twice`);
      return [];
    }
    seen.add(key);
    return [one];
  });
};

export const readPattern = (
  source: Source,
  field: Field | undefined,
  what: string,
  charsMax = nameCharsMax,
): string | undefined => {
  const pattern = readText(source, field, what, { charsMax });
  // A rule that can match nothing by a slip of the keyboard would protect nothing, and nobody would see why.
  const trap = pattern === undefined ? null : lookAlike(pattern);
  if (field && trap) source.problem(field.value, field.path, `${what}: ${trap}`);
  return trap ? undefined : pattern;
};

export const readDecide = (source: Source, field: Field | undefined): Decide | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const written = isScalar(node) ? node.value : undefined;
  const decide = decides.find((word) => word === written);
  if (decide) return decide;
  const like = typeof written === 'string' ? nearest(written, decides) : undefined;
  const hint = like ? `: did you mean ${quote(like)}?` : '';
  const name = field.path.split('.').at(-1);
  source.problem(
    node,
    field.path,
    `${name}: expected ${oneOf(decides)}, found ${source.describe(node)}${hint}`,
  );
  return undefined;
};

type TextRules = { charsMax: number; multiline?: boolean };

export const readText = (
  source: Source,
  field: Field | undefined,
  what: string,
  { charsMax, multiline }: TextRules,
) => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const refuse = (message: string): undefined =>
    source.problem(node, field.path, `${what}: ${message}`) as undefined;
  if (!isScalar(node) || typeof node.value !== 'string') {
    const hint = isScalar(node) && node.value !== null ? ': put it in quotes' : '';
    return refuse(`expected a text, found ${source.describe(node)}${hint}`);
  }
  const text = multiline ? node.value.trimEnd() : node.value;
  if (text.trim() === '') return refuse('expected a text, found an empty one');
  if (text.length > charsMax) return refuse(`at most ${charsMax} characters, found ${text.length}`);
  // What people read before they decide must not be able to hide or forge a line.
  if (!text.isWellFormed()) return refuse('not valid Unicode (half of a surrogate pair)');
  if (/\p{Cc}/u.test(multiline ? text.replace(/[\n\t]/g, '') : text))
    return refuse('control characters are not allowed');
  return text;
};
