import { type Subject, subjectOf } from './cel/subject.ts';
import { type CompiledLayer, firstMatch, type Unsure } from './compile.ts';
import { matched, named } from './naming.ts';
import type { ActionFacts, Approver, Decide, Demand, LayerVerdict, Rule, Verdict } from './types.ts';

/** Whom a rule, or a default, wants to be asked. */
type Ask = { rule: string | null; approvers: Approver[] };
type Finding = Omit<LayerVerdict, 'scope'> & { scope: string | null; reason: string; asks: Ask[] };

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
  const subject = subjectOf(facts);
  const judged = layers.map((layer) => judge(layer, facts.action, subject));
  const reported = judged.map(({ reason: _, asks: __, ...layer }) => layer);
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
  asks: [{ rule: null, approvers: [] }],
};

const isNamed = (scope: string) => scope.startsWith('named:');

/** Two layers that ask for the same people make one demand. */
const demandsOf = (findings: readonly Finding[]): Demand[] => {
  const demands = new Map<string, Demand>();
  for (const { scope, asks } of findings) {
    for (const { rule, approvers } of asks) {
      const key = JSON.stringify(approvers);
      if (!demands.has(key)) demands.set(key, { scope, rule, approvers });
    }
  }
  return [...demands.values()];
};

const judge = (layer: CompiledLayer, action: string, subject: Subject): Finding & { scope: string } => {
  const { scope, digest, revision } = layer;
  const from = { scope, digest, revision };
  if ('broken' in layer) {
    const reason = `the policy ${scope} cannot be used: ${layer.broken}`;
    return { ...from, decide: 'deny', rule: null, reason, asks: [] };
  }
  const { rule, unsure } = firstMatch(layer.compiled, action, subject);
  const found = rule ? ruled(rule) : fallenBack(layer.compiled.policy.default ?? 'abstain', scope);
  return { ...from, ...(unsure.length === 0 ? found : doubted(found, unsure)) };
};

type Found = Pick<Finding, 'decide' | 'rule' | 'reason' | 'asks'>;

const ruled = (rule: Rule): Found => {
  const { decide, name, approvers } = rule;
  return { decide, rule: name, reason: rule.reason ?? matched(rule), asks: [{ rule: name, approvers }] };
};

const fallenBack = (decide: Found['decide'], scope: string): Found => ({
  decide,
  rule: null,
  reason: `default of the policy ${scope}`,
  asks: [{ rule: null, approvers: [] }],
});

/**
 * Of a rule whose condition failed nobody can say whether it would have matched: the strictest of what it decides, of
 * what was found without it, and of asking people. All whom any of them would have asked are asked.
 */
const doubted = (found: Found, unsure: readonly Unsure[]): Found => {
  const [first] = unsure as [Unsure];
  const rules = unsure.map(({ rule }) => rule);
  const decide = strictestFirst.find(
    (one) => one === 'require_approval' || one === found.decide || rules.some((rule) => rule.decide === one),
  ) as Decide;
  const asked = rules
    .filter((rule) => rule.decide === 'require_approval')
    .flatMap((rule) => ruled(rule).asks);
  const asks = [...(found.decide === 'require_approval' ? found.asks : []), ...asked];
  const inDoubt = { decide, asks: asks.length > 0 ? asks : [{ rule: first.rule.name, approvers: [] }] };
  if (found.decide === decide) return { ...found, ...inDoubt };
  const { rule, why } = unsure.find((one) => one.rule.decide === decide) ?? first;
  return { ...inDoubt, rule: rule.name, reason: `it cannot be told whether ${named(rule)} matches: ${why}` };
};
