import type { ActionFacts } from './facts.ts';
import { compileLayer, evaluate, parsePolicy } from './index.ts';
import { factsOf } from './test-arbitraries.ts';
import type { Decide, Layer, Verdict } from './types.ts';

export const judge = (layers: Layer[], action: string, more: Partial<ActionFacts> = {}): Verdict =>
  evaluate(layers.map(compileLayer), factsOf(action, more));

export const layer = (scope: string, ...lines: string[]): Layer => {
  const parsed = parsePolicy(['version: 1', ...lines].join('\n'));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { scope, digest: `digest of ${scope}`, revision: 7, policy: parsed.policy };
};

export const broken = (scope: string): Layer => ({
  scope,
  digest: null,
  revision: 8,
  broken: 'line 2, column 1: …',
});

export const always = (scope: string, decide: Decide | 'abstain'): Layer =>
  decide === 'abstain' ? layer(scope) : layer(scope, `default: ${decide}`);

export const severity = (decide: Decide | 'abstain'): number =>
  ['abstain', 'allow', 'require_approval', 'deny'].indexOf(decide);
