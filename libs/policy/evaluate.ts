import { type Subject, subjectOf } from './cel/subject.ts';
import { type CompiledLayer, firstMatch, type Unsure } from './compile.ts';
import { matched, named } from './naming.ts';
import type { ActionFacts, Decide, Demand, LayerVerdict, Rule, RuleSettings, Verdict } from './types.ts';

/** Whom a rule, or a default, wants to be asked. */
type Ask = Omit<Demand, 'scope'>;
type Finding = Omit<LayerVerdict, 'scope'> & {
  scope: string | null;
  reason: string;
  asks: Ask[];
  /** Of the rules that led to it. */
  settings: RuleSettings[];
};

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
  const reported = judged.map(({ reason: _, asks: __, settings: ___, ...layer }) => layer);
  const covered = judged.some(({ scope, decide }) => decide !== 'abstain' && !isNamed(scope));
  const findings: Finding[] = covered ? judged : [...judged, uncovered];
  for (const decide of strictestFirst) {
    const [decisive, ...others] = findings.filter((finding) => finding.decide === decide);
    if (!decisive) continue;
    const { reason, rule, scope } = decisive;
    const demands = decide === 'require_approval' ? demandsOf([decisive, ...others]) : [];
    if (demands.length > demandsMax) {
      const settings = { onTimeout: 'deny' } as const;
      return { decide: 'deny', reason: tooMany, rule, scope, demands: [], settings, layers: reported };
    }
    const settings = strictest([decisive, ...others].flatMap((finding) => finding.settings));
    return { decide, reason, rule, scope, demands, settings, layers: reported };
  }
  throw new Error('a verdict is always found: an action that nothing covers is held');
};

/** Any one person with the role approver. */
const anybody = (rule: string | null): Ask => ({ rule, approvers: [], quorum: 1, separate: false });

const uncovered: Finding = {
  scope: null,
  digest: null,
  revision: 0,
  decide: 'require_approval',
  rule: null,
  reason: 'no policy covers this action, so a person is asked',
  asks: [anybody(null)],
  settings: [{}],
};

const wantsReason = ['always', 'on_reject', 'never'] as const;

const strictest = (all: readonly RuleSettings[]): Verdict['settings'] => {
  const least = (values: (number | undefined)[]) => {
    const given = values.filter((value) => value !== undefined);
    return given.length === 0 ? undefined : Math.min(...given);
  };
  const timeoutMs = least(all.map((one) => one.timeoutMs));
  const validForMs = least(all.map((one) => one.validForMs));
  const requireReason = wantsReason.find((one) => all.some((settings) => settings.requireReason === one));
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(validForMs === undefined ? {} : { validForMs }),
    // Every one of those that ask has to say so.
    onTimeout: all.length > 0 && all.every(({ onTimeout }) => onTimeout === 'allow') ? 'allow' : 'deny',
    ...(requireReason === undefined ? {} : { requireReason }),
  };
};

/** An approval that asks more groups than these would not fit into a message, nor into anybody's head. */
const demandsMax = 20;
const tooMany = `more than ${demandsMax} groups of people would have to approve, because it cannot be told which rules match`;

const isNamed = (scope: string) => scope.startsWith('named:');

/** Two layers that ask for the same people make one demand. */
const demandsOf = (findings: readonly Finding[]): Demand[] => {
  const demands = new Map<string, Demand>();
  for (const { scope, asks } of findings) {
    for (const { rule, ...wanted } of asks) {
      const key = JSON.stringify(wanted);
      if (!demands.has(key)) demands.set(key, { scope, rule, ...wanted });
    }
  }
  return [...demands.values()];
};

const judge = (layer: CompiledLayer, action: string, subject: Subject): Finding & { scope: string } => {
  const { scope, digest, revision } = layer;
  const from = { scope, digest, revision };
  if ('broken' in layer) {
    const reason = `the policy ${scope} cannot be used: ${layer.broken}`;
    return { ...from, decide: 'deny', rule: null, reason, asks: [], settings: [] };
  }
  const { rule, unsure } = firstMatch(layer.compiled, action, subject);
  const found = rule ? ruled(rule) : fallenBack(layer.compiled.policy.default ?? 'abstain', scope);
  return { ...from, ...(unsure.length === 0 ? found : doubted(found, unsure)) };
};

type Found = Pick<Finding, 'decide' | 'rule' | 'reason' | 'asks' | 'settings'>;

const ruled = (rule: Rule): Found => {
  const { decide, name, approvers, quorum = 1, separate = false } = rule;
  const asks = [{ rule: name, approvers, quorum, separate }];
  return { decide, rule: name, reason: rule.reason ?? matched(rule), asks, settings: [rule] };
};

const fallenBack = (decide: Found['decide'], scope: string): Found => ({
  decide,
  rule: null,
  reason: `default of the policy ${scope}`,
  asks: [anybody(null)],
  settings: [{}],
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
  const settings = [...found.settings, ...rules];
  const inDoubt = { decide, asks: asks.length > 0 ? asks : [anybody(first.rule.name)], settings };
  if (found.decide === decide) return { ...found, ...inDoubt };
  const { rule, why } = unsure.find((one) => one.rule.decide === decide) ?? first;
  return { ...inDoubt, rule: rule.name, reason: `it cannot be told whether ${named(rule)} matches: ${why}` };
};
