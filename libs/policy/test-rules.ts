import fc from 'fast-check';
import { formatProblems, parsePolicy } from './index.ts';
import type { Layer } from './types.ts';

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
  approvers: option(
    fc.constantFrom<unknown>(
      ['#a'],
      ['role:x'],
      ['role:x', 'user:dana@example.com'],
      { all: ['role:x', 'role:y'] },
      ['role:z', { all: ['role:x', { any: ['role:y', 'pagerduty:z'] }] }],
    ),
  ),
  quorum: option(fc.integer({ min: 1, max: 4 })),
  separate: option(fc.boolean()),
  reject: option(fc.constantFrom('any', 'majority')),
  timeout: option(fc.constantFrom('1m', '5m', '2h')),
  remind: option(fc.constantFrom(['50%'], ['25%', '90%'])),
  escalate: option(
    fc.constantFrom([{ after: '10s', to: ['role:z'] }], [{ after: '20s', to: ['#a'], replace: true }]),
  ),
  inform: option(fc.constantFrom(['owner'], ['owner', '#a'], ['role:x'])),
  editable: option(
    fc.constantFrom(['payload.c'], ['payload.c.d', 'payload.e'], ['payload.b.x', 'payload.e', 'payload.f']),
  ),
  choices: option(
    fc.constantFrom(
      [
        { name: 'retry', means: 'allow' },
        { name: 'skip', means: 'deny' },
      ],
      [
        { name: 'skip', means: 'allow' },
        { name: 'stop', means: 'deny' },
      ],
    ),
  ),
  on_timeout: option(fc.constantFrom('deny', 'allow')),
  require_reason: option(fc.constantFrom('never', 'on_reject', 'always')),
  only_in: option(fc.constantFrom(['inbox'], ['slack', 'api'], ['email', 'slack'], ['api'])),
  severity: option(fc.constantFrom('info', 'error', 'critical')),
};
const valid_for = option(fc.constantFrom('10s', '5m', '1h'));
const common = {
  action: fc.constantFrom('pay', 'p*', '*', 'other'),
  when: option(when),
  schedule: option(hours.map((value) => ({ hours: value, zone: 'UTC' }))),
  redact: option(
    fc.constantFrom<unknown>(
      ['payload.a'],
      ['payload.a', 'payload.b'],
      [{ path: 'payload.a', except: ['role:x'] }],
      [{ path: 'payload.a', except: ['role:y', 'role:x'] }, 'payload.b'],
    ),
  ),
};
const otherwise = fc.constantFrom('deny', 'require_approval');
const askingRule = fc.record({ decide: fc.constant('require_approval'), ...common, ...asking, valid_for });
const rule = fc.oneof(
  fc.record({ decide: fc.constant('deny'), ...common }),
  askingRule,
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

/** What a policy that nothing is wrong with would say: the rest is left out. */
const sound = (one: Record<string, unknown>) => ({
  ...one,
  ...(one['on_timeout'] === 'allow' && one['timeout'] === undefined ? { timeout: '5m' } : {}),
  ...(one['redact'] === undefined ? {} : { editable: undefined }),
});

const policyOf = (rules: readonly Record<string, unknown>[], fallback?: string) => {
  // JSON is YAML, and leaves out what is undefined.
  const named = rules.map((one, n) => ({ name: `rule ${n}`, ...sound(one) }));
  const parsed = parsePolicy(JSON.stringify({ version: 1, default: fallback, rules: named }));
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.policy;
};

export const policy = fc
  .tuple(fc.array(rule, { maxLength: 5 }), option(fc.constantFrom('allow', 'deny', 'require_approval')))
  .map(([rules, fallback]) => policyOf(rules, fallback));

export const layerOf = (scope: string): fc.Arbitrary<Layer> =>
  policy.map((parsed) => ({ scope, digest: `digest of ${scope}`, revision: 1, policy: parsed }));

/** One that asks people, whatever the action. */
export const askingLayerOf = (scope: string): fc.Arbitrary<Layer> =>
  askingRule.map(({ when: _when, schedule: _schedule, ...one }) => ({
    scope,
    digest: `digest of ${scope}`,
    revision: 1,
    policy: policyOf([{ ...one, action: '*' }]),
  }));
