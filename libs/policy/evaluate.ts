import { type Subject, subjectOf } from './cel/subject.ts';
import { type CompiledLayer, firstMatch, type Match, type Unsure } from './compile.ts';
import { type CountersSeen, type CounterUse, type Refused, useId } from './counters.ts';
import type { ActionFacts } from './facts.ts';
import { matched, named } from './naming.ts';
import { hiddenBy, settingsOf } from './strictest.ts';
import type { Decide, Demand, LayerVerdict, Rule, RuleSettings, Verdict } from './types.ts';

/** Whom a rule, or a default, wants to be asked. */
type Ask = Omit<Demand, 'scope'>;
type Finding = Omit<LayerVerdict, 'scope'> & {
  scope: string | null;
  reason: string;
  asks: Ask[];
  /** Of the rules that led to it. */
  settings: RuleSettings[];
  uses: CounterUse[];
};

const strictestFirst: readonly Decide[] = ['deny', 'require_approval', 'allow'];

/**
 * The strictest layer decides; among layers equally strict, the first in the order given (guardrail first) gives the
 * reason. Each layer that requires approval makes its own demand, and all of them have to be met, so that no layer
 * widens or narrows whom another asks.
 *
 * A policy that the caller names is held to as well, but does not stand in for one: where nothing else covers the
 * action a person is asked, whatever the caller's policy allows.
 *
 * An action is allowed only after what it uses was counted: what could not be is told in a second verdict.
 */
export const evaluate = (
  layers: readonly CompiledLayer[],
  facts: ActionFacts,
  seen?: CountersSeen,
): Verdict => look(layers, facts)(seen);

/** The rules are looked through once; the verdict may then be asked for again, with what was seen of counters. */
export const look = (
  layers: readonly CompiledLayer[],
  facts: ActionFacts,
): ((seen?: CountersSeen) => Verdict) => {
  const subject = subjectOf(facts);
  const looked = layers.map((layer) => lookInto(layer, facts.action, subject));
  return (seen = nothingSeen) => verdictOf(looked.map((one) => judge(one, seen)));
};

type Judged = Finding & { scope: string };

const verdictOf = (judged: readonly Judged[]): Verdict => {
  const reported = judged.map(({ scope, digest, revision, decide, rule, included }) => ({
    scope,
    digest,
    revision,
    decide,
    rule,
    ...(included && included.length > 0 ? { included } : {}),
  }));
  const hidden = hiddenBy(judged.flatMap(({ settings }) => settings));
  const covered = judged.some(({ scope, decide }) => decide !== 'abstain' && !isNamed(scope));
  const findings: readonly Finding[] = covered ? judged : [...judged, uncovered];
  for (const decide of strictestFirst) {
    const decisive = findings.filter((finding) => finding.decide === decide);
    const [first] = decisive;
    if (!first) continue;
    const { reason, rule, scope } = first;
    const said = { rule, scope, ...hidden, layers: reported };
    const demands = decide === 'require_approval' ? demandsOf(decisive) : [];
    if (demands.length > demandsMax) {
      return {
        ...said,
        decide: 'deny',
        reason: tooMany,
        demands: [],
        settings: { onTimeout: 'deny' },
        uses: [],
      };
    }
    const settings = settingsOf(
      decide,
      decisive.flatMap((finding) => finding.settings),
      hidden.redact,
    );
    const uses = decide === 'allow' ? decisive.flatMap((finding) => finding.uses) : [];
    return { ...said, decide, reason, demands, settings, uses };
  }
  throw new Error('a verdict is always found: an action that nothing covers is held');
};

const nothingSeen: CountersSeen = new Map();

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
  uses: [],
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

type Looked = { layer: CompiledLayer; match: Match | undefined; unsure: readonly Unsure[] };

const lookInto = (layer: CompiledLayer, action: string, subject: Subject): Looked =>
  'broken' in layer
    ? { layer, match: undefined, unsure: [] }
    : { layer, ...firstMatch(layer.compiled, { scope: layer.scope, action, subject }) };

const judge = ({ layer, match, unsure }: Looked, seen: CountersSeen): Judged => {
  const { scope, digest, revision } = layer;
  const from = { scope, digest, revision };
  if ('broken' in layer) {
    const reason = `the policy ${scope} cannot be used: ${layer.broken}`;
    return { ...from, decide: 'deny', rule: null, reason, asks: [], settings: [], uses: [] };
  }
  const found = match ? counted(match, seen) : fallenBack(layer.compiled.policy.default ?? 'abstain', scope);
  return { ...from, included: layer.included, ...(unsure.length === 0 ? found : doubted(found, unsure)) };
};

type Found = Pick<Finding, 'decide' | 'rule' | 'reason' | 'asks' | 'settings' | 'uses'>;

const ruled = (rule: Rule): Found => {
  const { decide, name } = rule;
  const reason = rule.reason ?? matched(rule);
  return { decide, rule: name, reason, asks: [askOf(rule)], settings: [rule], uses: [] };
};

const askOf = ({ name, approvers, ways, quorum = 1, separate = false, reject, escalate }: Rule): Ask => ({
  rule: name,
  approvers,
  ...(ways && { ways }),
  quorum,
  separate,
  ...(reject && { reject }),
  ...(escalate && { escalate }),
});

/** What the rule decides while there is room in its counters, or else what it decides then. */
const counted = ({ rule, uses }: Match, seen: CountersSeen): Found => {
  const refused = uses.flatMap((use, n) => {
    // What is more than the whole bound needs no count.
    const why = use.units > use.max ? 'over' : seen.get(useId(use));
    const otherwise = rule.counters[n]?.otherwise ?? 'deny';
    return why === undefined ? [] : [{ use, why, otherwise }];
  });
  const strictest = refused.find(({ otherwise }) => otherwise === 'deny') ?? refused[0];
  if (!strictest) return { ...ruled(rule), uses };
  const { use, why, otherwise } = strictest;
  return { ...ruled(rule), decide: otherwise, reason: usedUp(rule, use, why) };
};

const usedUp = (rule: Rule, { kind, label }: CounterUse, why: Refused): string =>
  why === 'over'
    ? `the ${kind} of ${named(rule)} ${kind === 'limit' ? 'is used up' : 'has no room for this'} (${label})`
    : `the ${kind} of ${named(rule)} (${label}) cannot be counted now`;

const defaults = {
  allow: 'its default allows it',
  deny: 'its default denies it',
  require_approval: 'its default asks people',
  abstain: 'it has no default',
} as const;

const fallenBack = (decide: Found['decide'], scope: string): Found => ({
  decide,
  rule: null,
  reason: `no rule of the policy ${scope} matches, and ${defaults[decide]}`,
  asks: [anybody(null)],
  settings: [{}],
  uses: [],
});

/**
 * Of a rule whose condition failed nobody can say whether it would have matched: the strictest of what it decides, of
 * what was found without it, and of asking people. All whom any of them would have asked are asked.
 */
const doubted = (found: Found, unsure: readonly Unsure[]): Found => {
  const [first] = unsure as [Unsure];
  const decide = strictestFirst.find(
    (one) =>
      one === 'require_approval' || one === found.decide || unsure.some((doubt) => doubt.decide === one),
  ) as Decide;
  const asked = unsure.filter((doubt) => doubt.decide === 'require_approval').map(({ rule }) => askOf(rule));
  const asks = [...(found.decide === 'require_approval' ? found.asks : []), ...asked];
  const settings = [...found.settings, ...unsure.map(({ rule }) => rule)];
  const inDoubt = {
    decide,
    asks: asks.length > 0 ? asks : [anybody(first.rule.name)],
    settings,
    uses: [],
  };
  const { rule, why } = unsure.find((one) => one.decide === decide) ?? first;
  const doubt = `it cannot be told whether ${named(rule)} matches: ${why}`;
  if (found.decide === decide) return { ...found, ...inDoubt, reason: `${found.reason}; ${doubt}` };
  return { ...inDoubt, rule: rule.name, reason: doubt };
};
