import type { Subject } from './cel/subject.ts';
import { type Glob, isLiteral, literalPrefix, matchGlob, parseGlob } from './glob.ts';
import type { BrokenLayer, Layer, Policy, Rule, Selector } from './types.ts';

type IndexedRule = { position: number; rule: Rule; glob: Glob; only: readonly [Selector, Glob][] };

/** Where to look for the rules that an action's name can match. */
export type PolicyIndex = {
  /** Rules without a star, by the one name they match. */
  byName: ReadonlyMap<string, readonly IndexedRule[]>;
  /** Rules with a star, by what comes before the first. */
  byPrefix: ReadonlyMap<string, readonly IndexedRule[]>;
  /** The lengths that occur among those prefixes. */
  prefixLengths: readonly number[];
};

export type CompiledPolicy = { policy: Policy; index: PolicyIndex };

export type CompiledLayer =
  | { scope: string; digest: string; revision: number; compiled: CompiledPolicy }
  | BrokenLayer;

export const compile = (policy: Policy): CompiledPolicy => {
  const byName = new Map<string, IndexedRule[]>();
  const byPrefix = new Map<string, IndexedRule[]>();
  for (const [position, rule] of policy.rules.entries()) {
    const glob = parseGlob(rule.action);
    const shelf = isLiteral(glob) ? byName : byPrefix;
    const key = literalPrefix(glob);
    const only = Object.entries(rule.only).map(([selector, pattern]): [Selector, Glob] => [
      selector as Selector,
      parseGlob(pattern),
    ]);
    const indexed = { position, rule, glob, only };
    const bucket = shelf.get(key);
    if (bucket) bucket.push(indexed);
    else shelf.set(key, [indexed]);
  }
  const prefixLengths = [...new Set([...byPrefix.keys()].map((prefix) => prefix.length))];
  return { policy, index: { byName, byPrefix, prefixLengths } };
};

export const compileLayer = (layer: Layer): CompiledLayer => {
  if ('broken' in layer) return layer;
  const { scope, digest, revision, policy } = layer;
  return { scope, digest, revision, compiled: compile(policy) };
};

/** The rules worth looking at for this action, in the order of the file. */
export const candidates = ({ index }: CompiledPolicy, action: string): readonly IndexedRule[] => {
  const buckets: (readonly IndexedRule[])[] = [];
  const named = index.byName.get(action);
  if (named) buckets.push(named);
  for (const length of index.prefixLengths) {
    if (length > action.length) continue;
    const bucket = index.byPrefix.get(action.slice(0, length));
    if (bucket) buckets.push(bucket);
  }
  // A bucket is in order by itself; only a mixture has to be sorted.
  const [first, ...others] = buckets;
  return others.length === 0 ? (first ?? []) : buckets.flat().sort((a, b) => a.position - b.position);
};

/** A rule of which it cannot be told whether it matches, and why. */
export type Unsure = { rule: Rule; why: string };

const isTold = ([selector, glob]: [Selector, Glob], { told }: Subject): boolean =>
  [told(selector)].flat().some((value) => typeof value === 'string' && matchGlob(glob, value));

/** The first rule that matches decides. Those before it of which that cannot be told are named too. */
export const firstMatch = (
  compiled: CompiledPolicy,
  action: string,
  subject: Subject,
): { rule: Rule | undefined; unsure: Unsure[] } => {
  const unsure: Unsure[] = [];
  for (const { rule, glob, only } of candidates(compiled, action)) {
    if (!matchGlob(glob, action) || !only.every((one) => isTold(one, subject))) continue;
    if (rule.schedule?.includes(subject.now) === false) continue;
    const holds = rule.when ? rule.when.holds(subject) : true;
    if (holds === true) return { rule, unsure };
    if (holds !== false) unsure.push({ rule, why: holds.unsure });
  }
  return { rule: undefined, unsure };
};
