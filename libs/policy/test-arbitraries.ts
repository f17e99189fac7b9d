import fc from 'fast-check';
import type { ActionFacts } from './facts.ts';
import type { Approver, Decide, Layer, Policy, Rule } from './types.ts';

/** A small alphabet, so that patterns and names meet often. */
export const actionName = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
export const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 6 });

export const decide = fc.constantFrom<Decide>('allow', 'deny', 'require_approval');

const approver = fc.constantFrom<Approver>(
  { kind: 'channel', channel: 'approvals' },
  { kind: 'role', role: 'manager' },
  { kind: 'user', email: 'dana@example.com' },
);

export const policy: fc.Arbitrary<Policy> = fc
  .record({
    fallback: fc.option(decide, { nil: undefined }),
    rules: fc.array(fc.record({ action: pattern, decide, approvers: fc.array(approver, { maxLength: 2 }) }), {
      maxLength: 12,
    }),
  })
  .map(({ fallback, rules }) => ({
    version: 1,
    ...(fallback && { default: fallback }),
    includes: [],
    rules: rules.map(
      ({ action, decide, approvers }, n): Rule => ({
        name: `rule ${n}`,
        action,
        only: {},
        decide,
        counters: [],
        approvers: decide === 'require_approval' ? approvers : [],
        line: n + 1,
      }),
    ),
  }));

const scope = fc.constantFrom('guardrail', 'default', 'agent:support', 'named:strict');

export const layer: fc.Arbitrary<Layer> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ scope, digest: fc.constant('d1'), revision: fc.nat(9), policy }) },
  {
    weight: 1,
    arbitrary: fc.record({
      scope,
      digest: fc.constant(null),
      revision: fc.nat(9),
      broken: fc.constant('line 1, column 1: …'),
    }),
  },
);

export const factsOf = (action: string, more: Partial<ActionFacts> = {}): ActionFacts => ({
  action,
  payload: {},
  agent: { name: 'support', owner: 'ann@example.com' },
  context: {},
  now: new Date('2026-03-02T10:30:00.000Z'),
  ...more,
});
