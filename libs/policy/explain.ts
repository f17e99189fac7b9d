import { subjectOf } from './cel/subject.ts';
import { allMatches, type CompiledLayer } from './compile.ts';
import { type CountersSeen, useId } from './counters.ts';
import { evaluate } from './evaluate.ts';
import type { ActionFacts } from './facts.ts';
import type { Decide, LayerVerdict, Verdict } from './types.ts';

/** A rule that matches a request, or of which that cannot be told. */
export type RuleMatch = {
  rule: string;
  line: number;
  set: string | null;
  /** What it decides, with what its counters leave. */
  decide: Decide;
  /** Why it cannot be told whether it matches; null where it does. */
  unsure: string | null;
};

export type Explanation = {
  verdict: Verdict;
  /** Of each layer its verdict, and all rules that match in the order of the file: the first that is sure decides. */
  layers: (LayerVerdict & { matches: RuleMatch[] })[];
};

/** A verdict with all that could have led to another. */
export const explain = (
  layers: readonly CompiledLayer[],
  facts: ActionFacts,
  seen: CountersSeen = new Map(),
): Explanation => {
  const subject = subjectOf(facts);
  const verdict = evaluate(layers, facts, seen);
  return {
    verdict,
    layers: layers.flatMap((layer, n) => {
      const judged = verdict.layers[n];
      return judged
        ? [{ ...judged, matches: matchesIn(layer, { action: facts.action, subject }, seen) }]
        : [];
    }),
  };
};

type Asked = Omit<Parameters<typeof allMatches>[1], 'scope'>;

const matchesIn = (layer: CompiledLayer, asked: Asked, seen: CountersSeen): RuleMatch[] => {
  if ('broken' in layer) return [];
  return allMatches(layer.compiled, { scope: layer.scope, ...asked }).map((match) => {
    const { name, line, set = null } = match.rule;
    const described = { rule: name, line, set };
    if ('why' in match) return { ...described, decide: match.decide, unsure: match.why };
    const refused = match.uses.flatMap((use, n) =>
      seen.has(useId(use)) ? [match.rule.counters[n]?.otherwise ?? 'deny'] : [],
    );
    const decide = refused.includes('deny') ? 'deny' : (refused[0] ?? match.rule.decide);
    return { ...described, decide, unsure: null };
  });
};
