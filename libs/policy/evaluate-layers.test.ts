import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLayer } from './compile.ts';
import { type CountersSeen, useId } from './counters.ts';
import { evaluate } from './evaluate.ts';
import { formatProblems, parsePolicy } from './index.ts';
import { factsOf } from './test-arbitraries.ts';
import { always, layer, severity } from './test-judging.ts';
import { askingLayerOf, layerOf, policy } from './test-rules.ts';
import { expectNotWeaker } from './test-strictness.ts';
import type { Layer, Verdict } from './types.ts';

const layers = fc
  .tuple(layerOf('guardrail'), layerOf('default'), layerOf('named:strict'))
  .chain((all) => fc.subarray(all));

const facts = factsOf('pay', { payload: { n: 5, t: 'text' } });
const judge = (some: readonly Layer[], seen?: CountersSeen) => evaluate(some.map(compileLayer), facts, seen);

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
      { numRuns: 200 },
    );
  });

  test('nor is that of layers that all ask people', () => {
    const asking = fc.tuple(
      askingLayerOf('guardrail'),
      askingLayerOf('default'),
      askingLayerOf('named:strict'),
    );
    fc.assert(
      fc.property(asking, fc.nat(2), (some, left) => {
        const all = judge(some);
        for (const layer of some) expectNotWeaker(all, alone(layer));
        expectNotWeaker(all, judge([...some.toSpliced(left, 1), always('default', 'allow')]));
      }),
      { numRuns: 200 },
    );
  });

  test('one that hides something and asks nobody makes it no weaker', () => {
    const hiding = layer('default', 'rules:', '  - { action: "*", decide: allow, redact: [payload.b] }');
    fc.assert(
      fc.property(askingLayerOf('guardrail'), (asking) => {
        expectNotWeaker(judge([asking, hiding]), alone(asking));
      }),
    );
  });

  test('a policy that the caller names never makes it weaker', () => {
    fc.assert(
      fc.property(layers, layerOf('named:mine'), (some, mine) => {
        const without = some.filter(({ scope }) => !scope.startsWith('named:'));
        expectNotWeaker(judge([...without, mine]), judge(without));
      }),
      { numRuns: 200 },
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
      { numRuns: 300 },
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
      { numRuns: 200 },
    );
  });
});
