import { isScalar, isSeq } from 'yaml';
import type { Field } from './fields.ts';
import { nameCharsMax } from './limits.ts';
import { lookAlike } from './look-alike.ts';
import { nearest } from './nearest.ts';
import { oneOf, quote } from './problems.ts';
import type { Decide } from './types.ts';
import type { Node, Source } from './yaml.ts';

export const decides: readonly Decide[] = ['allow', 'deny', 'require_approval'];

/** What a list of a field holds, if it is one and not too long. */
export const readItems = (
  source: Source,
  field: Field | undefined,
  what: string,
  max: number,
): readonly Node[] => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return [];
  if (!isSeq(node)) {
    source.problem(node, field.path, `${what}: expected a list, found ${source.describe(node)}`);
    return [];
  }
  if (node.items.length > max) {
    source.problem(node, field.path, `${what}: at most ${max} ${what}, found ${node.items.length}`);
    return [];
  }
  return node.items as Node[];
};

export const readPattern = (source: Source, field: Field | undefined, what: string): string | undefined => {
  const pattern = readText(source, field, what, { charsMax: nameCharsMax });
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
