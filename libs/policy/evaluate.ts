import { type CompiledLayer, firstMatch } from './compile.ts';
import { matched } from './naming.ts';
import type { ActionFacts, Approver, Decide, Demand, LayerVerdict, Verdict } from './types.ts';

type Finding = Omit<LayerVerdict, 'scope'> & { scope: string | null; reason: string; approvers: Approver[] };

const strictestFirst: readonly Decide[] = ['deny', 'require_approval', 'allow'];

/**
 * The strictest layer decides; among layers equally strict, the first in the order given (guardrail first) gives the
 * reason. Each layer that requires approval makes its own demand, and all of them have to be met, so that no layer
 * widens or narrows whom another asks.
 *
 * A policy that the caller names is held to as well, but does not stand in for one: where nothing else covers the
 * action a person is asked, whatever the caller's policy allows.
 */
export const evaluate = (layers: readonly CompiledLayer[], facts: ActionFacts): Verdict => {
  const judged = layers.map((layer) => judge(layer, facts));
  const reported = judged.map(({ reason: _, approvers: __, ...layer }) => layer);
  const covered = judged.some(({ scope, decide }) => decide !== 'abstain' && !isNamed(scope));
  const findings: Finding[] = covered ? judged : [...judged, uncovered];
  for (const decide of strictestFirst) {
    const [decisive, ...others] = findings.filter((finding) => finding.decide === decide);
    if (!decisive) continue;
    const { reason, rule, scope } = decisive;
    const demands = decide === 'require_approval' ? demandsOf([decisive, ...others]) : [];
    return { decide, reason, rule, scope, demands, layers: reported };
  }
  throw new Error('a verdict is always found: an action that nothing covers is held');
};

const uncovered: Finding = {
  scope: null,
  digest: null,
  revision: 0,
  decide: 'require_approval',
  rule: null,
  reason: 'no policy covers this action, so a person is asked',
  approvers: [],
};

const isNamed = (scope: string) => scope.startsWith('named:');

/** Two layers that ask for the same people make one demand. */
const demandsOf = (findings: readonly Finding[]): Demand[] => {
  const demands = new Map<string, Demand>();
  for (const { scope, rule, approvers } of findings) {
    const key = JSON.stringify(approvers);
    if (!demands.has(key)) demands.set(key, { scope, rule, approvers });
  }
  return [...demands.values()];
};

const judge = (layer: CompiledLayer, facts: ActionFacts): Finding & { scope: string } => {
  const { scope, digest, revision } = layer;
  const from = { scope, digest, revision };
  if ('broken' in layer) {
    const reason = `the policy ${scope} cannot be used: ${layer.broken}`;
    return { ...from, decide: 'deny', rule: null, reason, approvers: [] };
  }
  const rule = firstMatch(layer.compiled, facts);
  if (rule) {
    const { decide, name, approvers } = rule;
    return { ...from, decide, rule: name, reason: rule.reason ?? matched(rule), approvers };
  }
  const decide = layer.compiled.policy.default ?? 'abstain';
  return { ...from, decide, rule: null, reason: `default of the policy ${scope}`, approvers: [] };
};
