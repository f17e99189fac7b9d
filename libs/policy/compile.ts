import type { Subject } from './cel/subject.ts';
import { type CounterUse, useOf } from './counters.ts';
import { type Glob, isLiteral, literalPrefix, matchGlob, parseGlob } from './glob.ts';
import { workMax } from './limits.ts';
import type { BrokenLayer, Decide, IncludedSet, Layer, Policy, Rule, Selector } from './types.ts';

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
  | {
      scope: string;
      digest: string;
      revision: number;
      included: readonly IncludedSet[];
      compiled: CompiledPolicy;
    }
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
  const { scope, digest, revision, policy, included = [] } = layer;
  return { scope, digest, revision, included, compiled: compile(policy) };
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

/** A rule of which it cannot be told whether it matches, or what it would use up; and what it would decide at worst. */
export type Unsure = { rule: Rule; why: string; decide: Decide };

/** The rule that decides, and what it would use of its counters. */
export type Match = { rule: Rule; uses: CounterUse[] };

const isTold = ([selector, glob]: [Selector, Glob], { told }: Subject): boolean =>
  [told(selector)].flat().some((value) => typeof value === 'string' && matchGlob(glob, value));

type Request = { scope: string; action: string; subject: Subject };

/** Of a rule that counts, what it decides at worst. */
const strictestOtherwise = ({ counters }: Rule): Decide =>
  counters.some(({ otherwise }) => otherwise === 'deny') ? 'deny' : 'require_approval';

const matchOf = (
  { rule, glob, only }: IndexedRule,
  { scope, action, subject }: Request,
): Match | Unsure | undefined => {
  if (!matchGlob(glob, action) || !only.every((one) => isTold(one, subject))) return undefined;
  if (rule.schedule?.includes(subject.now) === false) return undefined;
  const holds = rule.when ? rule.when.holds(subject) : true;
  if (holds === false) return undefined;
  if (holds !== true) return { rule, why: holds.unsure, decide: rule.decide };
  const uses: CounterUse[] = [];
  for (const counter of rule.counters) {
    const use = useOf(counter, { scope, rule: rule.name }, subject);
    if ('unsure' in use) return { rule, why: use.unsure, decide: strictestOtherwise(rule) };
    uses.push(use);
  }
  return { rule, uses };
};

/** What it costs to ask a rule of a request. */
const costOf = ({ when, counters }: Rule, subject: Subject): number =>
  (when?.costOf(subject) ?? 0) +
  counters.reduce(
    (sum, { by, sum: adds }) => sum + (by?.costOf(subject) ?? 0) + (adds?.costOf(subject) ?? 0),
    0,
  );

/**
 * Each rule that matches, or of which that cannot be told, in the order of the file. When those before it have taken
 * all that one request may take, of a rule that costs something it cannot be told.
 */
function* matchesOf(compiled: CompiledPolicy, request: Request): Generator<Match | Unsure> {
  let work = 0;
  for (const candidate of candidates(compiled, request.action)) {
    const { rule, glob } = candidate;
    const cost = costOf(rule, request.subject);
    work += cost;
    if (cost === 0 || work <= workMax) {
      const found = matchOf(candidate, request);
      if (found) yield found;
    } else if (matchGlob(glob, request.action)) {
      const why = 'the conditions up to it take too long for this request';
      yield { rule, decide: rule.decide, why };
    }
  }
}

/** The first rule that matches decides. Those before it of which that cannot be told are named too. */
export const firstMatch = (
  compiled: CompiledPolicy,
  request: Request,
): { match: Match | undefined; unsure: Unsure[] } => {
  const unsure: Unsure[] = [];
  for (const found of matchesOf(compiled, request)) {
    if ('uses' in found) return { match: found, unsure };
    unsure.push(found);
  }
  return { match: undefined, unsure };
};

/** Every rule that matches, or may: to explain, not to decide. */
export const allMatches = (compiled: CompiledPolicy, request: Request): (Match | Unsure)[] => [
  ...matchesOf(compiled, request),
];
