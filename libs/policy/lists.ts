import { isMap, isScalar, isSeq } from 'yaml';
import type { Lists } from './cel/subject.ts';
import { type Field, readEntries } from './fields.ts';
import { listEntriesMax, listsMax } from './limits.ts';
import type { Node, Source } from './yaml.ts';

type Entry = Lists[string][number];

export const listName = /^[a-z][a-z0-9_]{0,39}$/;

/** Lists that the conditions of a policy can name. */
export const readLists = (source: Source, field: Field | undefined): Lists => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return {};
  if (!isMap(node)) {
    source.problem(node, field.path, `lists: expected a map of lists, found ${source.describe(node)}`);
    return {};
  }
  const lists: Record<string, Entry[]> = {};
  const entries = readEntries(source, node, field.path, 'a list');
  if (entries.size > listsMax) {
    source.problem(node, field.path, `lists: at most ${listsMax} lists, found ${entries.size}`);
    return {};
  }
  for (const [name, entry] of entries) {
    if (!listName.test(name)) {
      const form = 'lower-case letters, digits and _, and begins with a letter';
      source.problem(entry.key, entry.path, `lists: the name of a list has ${form}`);
      continue;
    }
    lists[name] = readList(source, entry);
  }
  return lists;
};

const readList = (source: Source, { key, value, path, isEmpty }: Field): Entry[] => {
  if (isEmpty) {
    source.problem(key, path, 'lists: a list without values has to be written as []');
    return [];
  }
  const node = source.resolve(value, path);
  if (!node) return [];
  if (!isSeq(node)) {
    source.problem(node, path, `lists: expected a list of values, found ${source.describe(node)}`);
    return [];
  }
  if (node.items.length > listEntriesMax) {
    source.problem(node, path, `lists: at most ${listEntriesMax} values, found ${node.items.length}`);
    return [];
  }
  return (node.items as Node[]).flatMap((item, position): Entry[] => {
    const at = `${path}[${position}]`;
    const one = source.resolve(item, at);
    if (!one) return [];
    const found = isScalar(one) ? one.value : undefined;
    if (typeof found === 'string' || typeof found === 'boolean') return [found];
    if (typeof found === 'number' && Number.isFinite(found)) return [found];
    source.problem(one, at, `lists: expected a text, a number, true or false, found ${source.describe(one)}`);
    return [];
  });
};
