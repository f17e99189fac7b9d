import { isMap, isScalar } from 'yaml';
import { readApprovers } from './approvers.ts';
import type { Surroundings } from './cel/condition.ts';
import { readCounters } from './counter-reading.ts';
import { readCondition } from './expressions.ts';
import { type Field, readFields } from './fields.ts';
import { policyGrammar, ruleGrammar } from './grammar.ts';
import { readIncludes } from './includes.ts';
import { nameCharsMax, partsMax, patternsMax, reasonCharsMax, rulesMax } from './limits.ts';
import { readLists } from './lists.ts';
import { unnamed } from './naming.ts';
import { type PolicyTest, readTests } from './policy-tests.ts';
import { quote } from './problems.ts';
import { readDecide, readItems, readPattern, readText } from './readers.ts';
import { reportFailures, runTests } from './run-tests.ts';
import { readSchedule } from './schedule.ts';
import { readSettings } from './settings.ts';
import { type Parsed, type Policy, type Rule, selectors } from './types.ts';
import { type Node, readYaml, type Source } from './yaml.ts';

export type Reading = {
  /** What was accepted before has kept its tests, and is not asked again. */
  isAccepted?: boolean;
  /** The texts of the shared sets that a policy can include. */
  sets?: ReadonlyMap<string, string>;
  /** Whether it is a set itself: rules for policies to include. */
  isSet?: boolean;
  /** How a set that is not there gets there, for who reads of it. */
  whereFrom?: (name: string) => string;
};

/** Reads a policy, or says everything that is wrong with it, up to a bound. Never throws. */
export const parsePolicy = (text: string, reading: Reading = {}): Parsed => {
  const read = readPolicyText(text, reading);
  if (!read.ok) return read;
  const { source, policy, tests } = read;
  if (!reading.isAccepted) reportFailures(source, runTests(source, policy, tests));
  const problems = source.problems();
  return problems.length === 0 ? { ok: true, policy } : { ok: false, problems };
};

type PolicyAndTests = { policy: Policy; tests: PolicyTest[] };
type ReadText = ({ ok: true; source: Source } & PolicyAndTests) | Extract<Parsed, { ok: false }>;

/** A policy and its tests, which are not run: only of a policy without a problem it can be said what it decides. */
export const readPolicyText = (text: string, reading: Reading = {}): ReadText => {
  let [patterns, parts] = [0, 0];
  const may: May = {
    mayCompile: (count) => {
      patterns += count;
      return patterns <= patternsMax;
    },
    mayHold: (count) => {
      parts += count;
      return parts <= partsMax;
    },
  };
  return readBounded(text, reading, may);
};

/** What a policy and the sets that it includes may need together. */
type May = Required<Pick<Surroundings, 'mayCompile' | 'mayHold'>>;

const readBounded = (text: string, reading: Reading, may: May): ReadText => {
  const source = readYaml(text);
  if (Array.isArray(source)) return { ok: false, problems: source };
  const read = readPolicy(source, reading, may);
  const problems = source.problems();
  // Readers hand back what they could make out and report the rest: only a file without a problem is a policy.
  return read && problems.length === 0 ? { ok: true, source, ...read } : { ok: false, problems };
};

const readPolicy = (source: Source, reading: Reading, may: May): PolicyAndTests | undefined => {
  const root = source.resolve(source.root, '');
  if (!root) return undefined;
  if (!isMap(root)) {
    source.problem(
      root,
      '',
      `expected a map with version, default and rules, found ${source.describe(root)}`,
    );
    return undefined;
  }
  const fields = readFields(source, root, policyGrammar, '');
  if (reading.isSet) refuseInSet(source, fields);
  readVersion(source, fields.get('version'));
  const fallback = readDecide(source, fields.get('default'));
  const lists = readLists(source, fields.get('lists'));
  // What a set needs of the patterns that may be compiled, the policy cannot use any more.
  const included = readIncludes(source, fields.get('include'), {
    sets: reading.sets ?? new Map(),
    parse: (text) => readBounded(text, { isSet: true }, may),
    whereFrom: reading.whereFrom ?? ((name) => `PUT it to /v1/policies/set:${name} first`),
  });
  const own = readRules(source, fields.get('rules'), { ...may, lists });
  const rules = [...included.rules, ...own];
  if (included.names.length > 0 && rules.length > rulesMax)
    source.problem(
      root,
      'include',
      `include: at most ${rulesMax} rules with those of the sets, found ${rules.length}`,
    );
  refuseNamesakes(source, root, rules);
  const tests = readTests(source, fields.get('tests'));
  const policy: Policy = {
    version: 1,
    ...(fallback && { default: fallback }),
    rules,
    includes: included.names,
  };
  return { policy, tests };
};

const readVersion = (source: Source, field: Field | undefined): void => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node || (isScalar(node) && node.value === 1)) return;
  const quoted = isScalar(node) && node.value === '1';
  const hint = quoted ? ': write it without quotes' : '';
  source.problem(node, field.path, `version: expected the number 1, found ${source.describe(node)}${hint}`);
};

/** What decides where no rule matches is for the policy to say, and what it includes too. */
const refuseInSet = (source: Source, fields: ReadonlyMap<string, Field>): void => {
  for (const name of ['default', 'include']) {
    const field = fields.get(name);
    if (field)
      source.problem(
        field.key,
        field.path,
        `${name}: a set has no ${name}: write it in the policy that includes the set`,
      );
  }
};

/** What is counted is known by the name of its rule, wherever the rule stands: so it can move into a set and back. */
const refuseNamesakes = (source: Source, root: Node, rules: readonly Rule[]): void => {
  const counting = new Map<string, Rule>();
  for (const rule of rules) {
    if (rule.counters.length === 0) continue;
    const other = counting.get(rule.name);
    counting.set(rule.name, rule);
    if (!other) continue;
    const message = `${placeOf(rule)} counts under the name ${quote(rule.name)}, and ${placeOf(other)} too: give each its own`;
    source.problem(root, 'rules', message);
  }
};

const placeOf = ({ line, set }: Rule): string =>
  set === undefined ? `line ${line}` : `line ${line} of the set ${set}`;

const readRules = (source: Source, field: Field | undefined, surroundings: Surroundings): Rule[] => {
  const rules: Rule[] = [];
  for (const [position, item] of readItems(source, field, 'rules', { max: rulesMax }).entries()) {
    if (source.full()) break;
    const path = `${field?.path}[${position}]`;
    const rule = readRule(source, item, path, surroundings);
    if (!rule) continue;
    rules.push(rule);
  }
  return rules;
};

const readRule = (source: Source, item: Node, path: string, surroundings: Surroundings): Rule | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  if (!isMap(node)) {
    source.problem(node, path, `expected a rule with action and decide, found ${source.describe(node)}`);
    return undefined;
  }
  const fields = readFields(source, node, ruleGrammar, path);
  const action = readPattern(source, fields.get('action'), 'action');
  const only = Object.fromEntries(
    selectors.flatMap((selector) => {
      const pattern = readPattern(source, fields.get(selector), selector);
      return pattern === undefined ? [] : [[selector, pattern]];
    }),
  ) as Rule['only'];
  const name = readText(source, fields.get('name'), 'name', { charsMax: nameCharsMax });
  const reason = readText(source, fields.get('reason'), 'reason', {
    charsMax: reasonCharsMax,
    multiline: true,
  });
  const decide = readDecide(source, fields.get('decide'));
  const counters = readCounters(source, fields, { name, decide, surroundings });
  const decides = [...(decide ? [decide] : []), ...counters.map(({ otherwise }) => otherwise)];
  const settings = readSettings(source, fields, decides);
  const schedule = readSchedule(source, fields.get('schedule'));
  const when = readCondition(source, fields.get('when'), surroundings);
  const asked = readApprovers(source, fields.get('approvers'), decides);
  if (action === undefined || decide === undefined) return undefined;
  const line = source.line(item);
  return {
    name: name ?? unnamed(action),
    action,
    only,
    ...settings,
    ...(schedule && { schedule }),
    ...(when && { when }),
    decide,
    counters,
    ...asked,
    ...(reason && { reason }),
    line,
  };
};
