import type { CompiledLayer } from './compile.ts';
import { look } from './evaluate.ts';
import type { ActionFacts } from './facts.ts';
import type { Layers } from './layers.ts';
import { createTally } from './tally.ts';
import type { Decide, LayerVerdict, Verdict } from './types.ts';

/** A request of the past. */
export type PastRequest = { id: string; facts: ActionFacts; policy: string | undefined };

type Said = { decide: Decide; rule: string | null; scope: string | null; reason: string };
export type Change = {
  from: Decide;
  to: Decide;
  count: number;
  /** Of which actions, the most frequent first. */
  actions: { action: string; count: number }[];
  examples: { id: string; action: string; agent: string; at: string; before: Said; after: Said }[];
};

export type Counts = Record<Decide, number>;

export type BacktestResult = {
  requests: number;
  /** In how many of them the policy of the scope would have a part. */
  concerned: number;
  before: Counts;
  after: Counts;
  changed: number;
  /** How often people would be asked more than now; less, where it is below zero. */
  interruptions: number;
  /** The most frequent first. */
  changes: Change[];
  /** How many requests each rule would decide, of those that would decide any. */
  rules: { scope: string; rule: string; count: number }[];
  /** Rules of the new text that would decide none. */
  idle: { rule: string; line: number; set: string | null }[];
};

export type Backtest = {
  add(request: PastRequest): void;
  result(): BacktestResult;
};

const examplesMax = 5;
const actionsMax = 20;
/** Agents choose how actions are called. */
const namesMax = 10_000;

/** Judges each request twice, with the policies as they are and as they would be, and keeps what is different. */
export const createBacktest = (before: Layers, after: Layers, scope: string): Backtest => {
  const sides = [sideOf(before), sideOf(after)] as const;
  const totals = { before: noCounts(), after: noCounts() };
  const changes = new Map<string, { change: Change; actions: Map<string, number> }>();
  const rules = new Map<string, { scope: string; rule: string; count: number }>();
  let requests = 0;
  let concerned = 0;

  const note = (request: PastRequest, was: Verdict, would: Verdict) => {
    const key = `${was.decide} ${would.decide}`;
    const known = changes.get(key) ?? {
      change: { from: was.decide, to: would.decide, count: 0, actions: [], examples: [] },
      actions: new Map<string, number>(),
    };
    changes.set(key, known);
    const { action, agent, now } = request.facts;
    known.change.count += 1;
    if (known.actions.has(action) || known.actions.size < namesMax)
      known.actions.set(action, (known.actions.get(action) ?? 0) + 1);
    if (known.change.examples.length >= examplesMax) return;
    known.change.examples.push({
      id: request.id,
      action,
      agent: agent.name,
      at: now.toISOString(),
      before: saidBy(was),
      after: saidBy(would),
    });
  };

  return {
    add(request) {
      requests += 1;
      const [was, would] = [sides[0](request), sides[1](request)];
      totals.before[was.decide] += 1;
      totals.after[would.decide] += 1;
      if (would.layers.some((layer) => isOf(layer, scope))) concerned += 1;
      for (const { scope, rule } of would.layers) {
        if (rule === null) continue;
        const key = JSON.stringify([scope, rule]);
        const known = rules.get(key) ?? { scope, rule, count: 0 };
        known.count += 1;
        rules.set(key, known);
      }
      if (was.decide !== would.decide) note(request, was, would);
    },
    result() {
      const found = [...changes.values()].map(({ change, actions }) => ({
        ...change,
        actions: mostFrequent([...actions].map(([action, count]) => ({ action, count }))).slice(
          0,
          actionsMax,
        ),
      }));
      return {
        requests,
        concerned,
        ...totals,
        changed: found.reduce((sum, { count }) => sum + count, 0),
        interruptions: totals.after.require_approval - totals.before.require_approval,
        changes: mostFrequent(found),
        rules: mostFrequent([...rules.values()]),
        idle: idleOf(after.of(scope), (rule) => rules.has(JSON.stringify([scope, rule]))),
      };
    },
  };
};

/** Each side counts for itself: what it allows uses up what it allows. */
const sideOf = (layers: Layers) => {
  const tally = createTally();
  return ({ facts, policy }: PastRequest): Verdict => {
    const applying = layers.forRequest({ agent: facts.agent.name, policy });
    const verdictWith = look(applying, facts);
    const verdict = verdictWith();
    if (verdict.uses.length === 0) return verdict;
    const refused = tally.take(verdict.uses, facts.now);
    return refused.size === 0 ? verdict : verdictWith(refused);
  };
};

const isOf = (layer: LayerVerdict, scope: string): boolean =>
  layer.scope === scope || (layer.included ?? []).some((set) => set.scope === scope);

const idleMax = 100;

const idleOf = (
  layer: CompiledLayer | undefined,
  isMet: (rule: string) => boolean,
): BacktestResult['idle'] =>
  layer === undefined || 'broken' in layer
    ? []
    : layer.compiled.policy.rules
        .filter(({ name }) => !isMet(name))
        .slice(0, idleMax)
        .map(({ name, line, set = null }) => ({ rule: name, line, set }));

const noCounts = (): Counts => ({ allow: 0, deny: 0, require_approval: 0 });

const saidBy = ({ decide, rule, scope, reason }: Verdict): Said => ({ decide, rule, scope, reason });

const mostFrequent = <T extends { count: number }>(all: T[]): T[] =>
  all.toSorted((a, b) => b.count - a.count);
