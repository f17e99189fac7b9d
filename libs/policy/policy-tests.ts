import { isMap, isScalar, isSeq } from 'yaml';
import type { ActionFacts } from './facts.ts';
import { type Field, readEntries, readFields } from './fields.ts';
import { testGrammar } from './grammar.ts';
import { nameCharsMax, tagsMax, testsMax, testValuesMax } from './limits.ts';
import { readDecide, readItems, readPattern, readText } from './readers.ts';
import type { Decide } from './types.ts';
import type { Node, Source } from './yaml.ts';

/** What a policy says of itself: that it decides so of a request. */
export type PolicyTest = {
  name: string;
  facts: ActionFacts;
  /** How many values its payload has, with those that aliases repeat. */
  size: number;
  expect: Decide;
  /** The rule whose limit and budget are used up then. Otherwise there is room everywhere. */
  spent?: string;
  at: Node;
  path: string;
};

const context = ['tool', 'server', 'acting_agent', 'on_behalf_of', 'case', 'run', 'priority'] as const;

/** Tests are judged at the moment that they name, so that they say the same on every day. */
const someMoment = new Date('2026-01-05T12:00:00.000Z');

export const readTests = (source: Source, field: Field | undefined): PolicyTest[] =>
  readItems(source, field, 'tests', { max: testsMax }).flatMap(
    (item, n) => readTest(source, item, `${field?.path}[${n}]`) ?? [],
  );

const readTest = (source: Source, item: Node, path: string): PolicyTest | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (!isMap(node)) {
    source.problem(node, path, `expected a test with action and expect, found ${source.describe(node)}`);
    return undefined;
  }
  const fields = readFields(source, node, testGrammar, path);
  const text = (name: (typeof context)[number] | 'name' | 'agent' | 'owner' | 'spent') =>
    readText(source, fields.get(name), name, { charsMax: nameCharsMax });
  const action = readPattern(source, fields.get('action'), 'action');
  const expect = readDecide(source, fields.get('expect'));
  const { value: payload, size } = readPayload(source, fields.get('payload'));
  const tags = readTags(source, fields.get('tags'));
  const told = Object.fromEntries(context.map((name) => [name, text(name)]).filter(([, value]) => value));
  const now = readNow(source, fields.get('now'));
  const [name, agent, owner, spent] = [text('name'), text('agent'), text('owner'), text('spent')];
  if (action === undefined || expect === undefined) return undefined;
  const facts: ActionFacts = {
    action,
    payload: payload ?? {},
    agent: { name: agent ?? 'an-agent', owner: owner ?? 'owner@example.com' },
    context: { ...told, ...(tags.length > 0 ? { tags } : {}) },
    now: now ?? someMoment,
  };
  return {
    name: name ?? `${expect} for ${action}`,
    facts,
    size,
    expect,
    ...(spent && { spent }),
    at: item,
    path,
  };
};

export const momentForm = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/;

const readNow = (source: Source, field: Field | undefined): Date | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const written = isScalar(node) && typeof node.value === 'string' ? node.value : '';
  const now = momentForm.test(written) ? new Date(written) : undefined;
  if (now && !Number.isNaN(now.getTime())) return now;
  source.problem(
    node,
    field.path,
    `now: expected a moment, as "2026-03-02T10:00:00Z", found ${source.describe(node)}`,
  );
  return undefined;
};

const readPayload = (source: Source, field: Field | undefined): { value?: unknown; size: number } => {
  const node = field && source.resolve(field.value, field.path);
  if (field && node && !isMap(node))
    source.problem(node, field.path, `payload: expected a map, found ${source.describe(node)}`);
  return readPlain(source, field);
};

const readTags = (source: Source, field: Field | undefined): string[] =>
  readItems(source, field, 'tags', { max: tagsMax }).flatMap((item, position): string[] => {
    const path = `${field?.path}[${position}]`;
    const node = source.resolve(item, path);
    if (!node) return [];
    if (isScalar(node) && typeof node.value === 'string') return [node.value];
    source.problem(node, path, `tags: expected a text, found ${source.describe(node)}`);
    return [];
  });

/** A value as JSON would hold it. Aliases are followed, and what they make of a file is bounded. */
const readPlain = (source: Source, field: Field | undefined): { value?: unknown; size: number } => {
  if (!field) return { size: 0 };
  let left = testValuesMax;
  const plain = (item: Node, path: string): unknown => {
    left -= 1;
    const node = left < 0 ? undefined : source.resolve(item, path);
    if (!node) return null;
    if (isSeq(node)) return (node.items as Node[]).map((one, n) => plain(one, `${path}[${n}]`));
    if (!isMap(node)) return node.value;
    const entries = readEntries(source, node, path, 'a field');
    return Object.fromEntries(
      [...entries].map(([name, one]) => [name, one.isEmpty ? null : plain(one.value, one.path)]),
    );
  };
  const value = plain(field.value, field.path);
  if (left < 0) source.problem(field.value, field.path, `at most ${testValuesMax} values in one test`);
  return { value, size: testValuesMax - left };
};
