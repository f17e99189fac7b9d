import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLayer } from './compile.ts';
import { type CountersSeen, useId } from './counters.ts';
import { evaluate } from './evaluate.ts';
import { formatProblems, parsePolicy } from './index.ts';
import { factsOf } from './test-arbitraries.ts';
import { always, severity } from './test-judging.ts';
import type { Layer, Verdict } from './types.ts';

/** Of conditions that hold, do not, and cannot be told, and of schedules that are over. */
const when = fc.constantFrom(
  'true',
  'payload.n > 1',
  'payload.n > 99',
  'payload.missing == 1',
  'payload.t < 3',
);
const hours = fc.constantFrom('00:00-23:59', '01:00-02:00');
const option = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const asking = {
  approvers: option(fc.constantFrom(['#a'], ['role:x'], ['role:x', 'user:dana@example.com'])),
  quorum: option(fc.integer({ min: 1, max: 4 })),
  separate: option(fc.boolean()),
  timeout: option(fc.constantFrom('1m', '5m', '2h')),
  on_timeout: option(fc.constantFrom('deny', 'allow')),
  require_reason: option(fc.constantFrom('never', 'on_reject', 'always')),
};
const valid_for = option(fc.constantFrom('10s', '5m', '1h'));
const common = {
  action: fc.constantFrom('pay', 'p*', '*', 'other'),
  when: option(when),
  schedule: option(hours.map((value) => ({ hours: value, zone: 'UTC' }))),
  redact: option(fc.constantFrom(['payload.a'], ['payload.a', 'payload.b'])),
};
const otherwise = fc.constantFrom('deny', 'require_approval');
const rule = fc.oneof(
  fc.record({ decide: fc.constant('deny'), ...common }),
  fc.record({ decide: fc.constant('require_approval'), ...common, ...asking, valid_for }),
  fc.record({
    decide: fc.constant('allow'),
    ...common,
    valid_for,
    limit: option(
      otherwise.chain((word) =>
        fc.constantFrom({ count: 1, per: '1h' }, { count: 9, per: '1d', else: word }),
      ),
    ),
    budget: option(
      fc.constantFrom(
        { sum: 'payload.n', max: 9, per: '1h', by: 'agent.id' },
        { sum: 'payload.t', max: 9, per: '1h' },
      ),
    ),
  }),
);

const policy = fc
  .record({
    default: option(fc.constantFrom('allow', 'deny', 'require_approval')),
    rules: fc.array(rule, { maxLength: 5 }),
  })
  .map(({ rules, ...rest }) => {
    // JSON is YAML, and leaves out what is undefined.
    const named = rules.map((one, n) => ({
      name: `rule ${n}`,
      ...one,
      ...('timeout' in one && one.timeout === undefined && one.on_timeout === 'allow'
        ? { timeout: '5m' }
        : {}),
    }));
    const parsed = parsePolicy(JSON.stringify({ version: 1, ...rest, rules: named }));
    if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
    return parsed.policy;
  });

const layerOf = (scope: string): fc.Arbitrary<Layer> =>
  policy.map((parsed) => ({ scope, digest: `digest of ${scope}`, revision: 1, policy: parsed }));
const layers = fc
  .tuple(layerOf('guardrail'), layerOf('default'), layerOf('named:strict'))
  .chain((all) => fc.subarray(all));

const facts = factsOf('pay', { payload: { n: 5, t: 'text' } });
const judge = (some: readonly Layer[], seen?: CountersSeen) => evaluate(some.map(compileLayer), facts, seen);

const reasons = ['never', 'on_reject', 'always'];
const people = ({ approvers, quorum, separate }: Verdict['demands'][number]) =>
  JSON.stringify([approvers, quorum, separate]);

/** Nobody is asked less, for longer, or in more than one of them would allow. */
const expectNotWeaker = (strong: Verdict, weak: Verdict): void => {
  expect(severity(strong.decide)).toBeGreaterThanOrEqual(severity(weak.decide));
  for (const path of weak.redact) expect(strong.redact).toContain(path);
  if (strong.decide !== weak.decide) return;
  const [one, other] = [strong.settings, weak.settings];
  const endless = Number.POSITIVE_INFINITY;
  // Where nobody's vote is needed in the end, less time is less say.
  if (one.onTimeout === 'allow') expect(one.timeoutMs).toBeGreaterThanOrEqual(other.timeoutMs ?? endless);
  else if (other.onTimeout !== 'allow')
    expect(one.timeoutMs ?? endless).toBeLessThanOrEqual(other.timeoutMs ?? endless);
  expect(one.validForMs ?? endless).toBeLessThanOrEqual(other.validForMs ?? endless);
  expect(reasons.indexOf(one.requireReason ?? 'never')).toBeGreaterThanOrEqual(
    reasons.indexOf(other.requireReason ?? 'never'),
  );
  if (other.onTimeout !== 'allow') expect(one.onTimeout).not.toBe('allow');
  const asked = strong.demands.map(people);
  for (const demand of weak.demands) expect(asked).toContain(people(demand));
  const used = strong.uses.map(useId);
  for (const use of weak.uses) expect(used).toContain(useId(use));
};

/** What a layer says by itself. With one that allows all beside it, nobody is asked for want of a policy. */
const alone = (layer: Layer): Verdict => judge([layer, always('default', 'allow')]);

const abstains = (layer: Layer): boolean => judge([layer]).layers[0]?.decide === 'abstain';

describe('of policies with conditions, schedules, limits and settings', () => {
  test('a verdict is never weaker than that of any of its layers', () => {
    fc.assert(
      fc.property(layers, (some) => {
        const all = judge(some);
        for (const layer of some) if (!abstains(layer)) expectNotWeaker(all, alone(layer));
      }),
      { numRuns: 400 },
    );
  });

  test('a policy that the caller names never makes it weaker', () => {
    fc.assert(
      fc.property(layers, layerOf('named:mine'), (some, mine) => {
        const without = some.filter(({ scope }) => !scope.startsWith('named:'));
        expectNotWeaker(judge([...without, mine]), judge(without));
      }),
      { numRuns: 400 },
    );
  });

  test('counters that are used up, or cannot be read, never make it weaker, and never allow', () => {
    fc.assert(
      fc.property(
        layers,
        fc.constantFrom('over' as const, 'unreadable' as const),
        fc.nat(15),
        (some, why, mask) => {
          const before = judge(some);
          const refused = before.uses.filter((_, n) => (mask >> n) % 2 === 1);
          if (refused.length === 0) return;
          const after = judge(some, new Map(refused.map((use) => [useId(use), why])));
          expect(after.decide).not.toBe('allow');
          expect(after.uses).toEqual([]);
          expectNotWeaker(after, before);
          // One that is reached beside the others makes it no weaker than they do.
          for (const use of refused) expectNotWeaker(after, judge(some, new Map([[useId(use), why]])));
        },
      ),
      { numRuns: 800 },
    );
  });

  test('a counter that cannot be told is as strict as the strictest of its rule', () => {
    for (const [limitElse, budgetElse, decide] of [
      ['require_approval', 'deny', 'deny'],
      ['deny', 'require_approval', 'deny'],
      ['require_approval', 'require_approval', 'require_approval'],
    ] as const) {
      const limit = { count: 1, per: '1h', by: 'payload.missing', else: limitElse };
      const budget = { sum: 'payload.n', max: 1, per: '1h', else: budgetElse };
      const rules = [{ name: 'r', action: '*', decide: 'allow', limit, budget }];
      const parsed = parsePolicy(JSON.stringify({ version: 1, rules }));
      if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
      const verdict = judge([{ scope: 'default', digest: 'd', revision: 1, policy: parsed.policy }]);
      expect(verdict).toMatchObject({ decide, rule: 'r' });
    }
  });

  test('a rule that cannot be told is never as if it were not there, where that would be weaker', () => {
    const unsure = (decide: string) =>
      parsePolicy(
        JSON.stringify({ version: 1, rules: [{ action: '*', when: 'payload.missing == 1', decide }] }),
      );
    fc.assert(
      fc.property(policy, fc.constantFrom('allow', 'deny', 'require_approval'), (rest, decide) => {
        const parsed = unsure(decide);
        if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
        const of = (rules: typeof rest.rules): Layer => ({
          scope: 'default',
          digest: 'd',
          revision: 1,
          policy: { ...rest, rules },
        });
        const with_ = judge([of([...parsed.policy.rules, ...rest.rules])]);
        const without = judge([of(rest.rules)]);
        expect(severity(with_.decide)).toBeGreaterThanOrEqual(severity(without.decide));
        expect(severity(with_.decide)).toBeGreaterThanOrEqual(severity('require_approval'));
        if (decide === 'deny') expect(with_.decide).toBe('deny');
      }),
      { numRuns: 400 },
    );
  });
});
