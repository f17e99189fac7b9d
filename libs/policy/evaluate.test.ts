import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileLayer, evaluate, parsePolicy } from './index.ts';
import * as arbitrary from './test-arbitraries.ts';
import { factsOf } from './test-arbitraries.ts';
import type { ActionFacts, Decide, Layer, Verdict } from './types.ts';

const judge = (layers: Layer[], action: string, more: Partial<ActionFacts> = {}): Verdict =>
  evaluate(layers.map(compileLayer), factsOf(action, more));

const layer = (scope: string, ...lines: string[]): Layer => {
  const parsed = parsePolicy(['version: 1', ...lines].join('\n'));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { scope, digest: `digest of ${scope}`, revision: 7, policy: parsed.policy };
};

const broken = (scope: string): Layer => ({
  scope,
  digest: null,
  revision: 8,
  broken: 'line 2, column 1: …',
});

const always = (scope: string, decide: Decide | 'abstain'): Layer =>
  decide === 'abstain' ? layer(scope) : layer(scope, `default: ${decide}`);

const severity = (decide: Decide | 'abstain'): number =>
  ['abstain', 'allow', 'require_approval', 'deny'].indexOf(decide);

describe('one layer', () => {
  const flights = layer(
    'default',
    'rules:',
    '  - { action: cancel_flight, decide: require_approval, approvers: ["#approvals"] }',
    '  - { action: cancel_*, decide: deny, name: no cancelling }',
    '  - { action: "*", decide: deny, reason: Not this one. }',
  );

  test.each([
    ['cancel_flight', 'require_approval', 'rule for cancel_flight', 'matched rule for cancel_flight'],
    ['cancel_hotel', 'deny', 'no cancelling', 'matched rule "no cancelling"'],
    ['refund', 'deny', 'rule for *', 'Not this one.'],
  ])('%s: the first rule that matches decides', (action, decide, rule, reason) => {
    expect(judge([flights], action)).toMatchObject({ decide, rule, reason, scope: 'default' });
  });

  test('a rule brings its approvers', () => {
    expect(judge([flights], 'cancel_flight').demands).toEqual([
      {
        scope: 'default',
        rule: 'rule for cancel_flight',
        approvers: [{ kind: 'channel', channel: 'approvals' }],
        quorum: 1,
        separate: false,
      },
    ]);
  });

  test('a default decides where no rule matches', () => {
    expect(judge([layer('agent:x', 'default: allow')], 'read')).toEqual({
      decide: 'allow',
      reason: 'default of the policy agent:x',
      rule: null,
      scope: 'agent:x',
      demands: [],
      settings: { onTimeout: 'deny' },
      layers: [{ scope: 'agent:x', digest: 'digest of agent:x', revision: 7, decide: 'allow', rule: null }],
    });
  });
});

describe('layers', () => {
  test.each<[Decide | 'abstain', Decide | 'abstain', Decide, string | null]>([
    ['allow', 'allow', 'allow', 'guardrail'],
    ['allow', 'require_approval', 'require_approval', 'default'],
    ['require_approval', 'allow', 'require_approval', 'guardrail'],
    ['deny', 'allow', 'deny', 'guardrail'],
    ['allow', 'deny', 'deny', 'default'],
    ['require_approval', 'deny', 'deny', 'default'],
    ['deny', 'require_approval', 'deny', 'guardrail'],
    ['abstain', 'allow', 'allow', 'default'],
    ['abstain', 'deny', 'deny', 'default'],
    ['require_approval', 'abstain', 'require_approval', 'guardrail'],
    ['abstain', 'abstain', 'require_approval', null],
  ])('guardrail %s, default %s: %s', (first, second, decide, scope) => {
    const verdict = judge([always('guardrail', first), always('default', second)], 'read');
    expect(verdict).toMatchObject({ decide, scope });
    expect(verdict.layers.map((layer) => layer.decide)).toEqual([first, second]);
  });

  test('two layers that ask for approval both have to be met', () => {
    const ask = (scope: string, approver: string) =>
      layer(scope, 'rules:', `  - { action: pay, decide: require_approval, approvers: ["${approver}"] }`);
    const verdict = judge([ask('guardrail', 'role:cfo'), ask('default', '#anyone')], 'pay');
    expect(verdict.demands.map(({ approvers }) => approvers)).toEqual([
      [{ kind: 'role', role: 'cfo' }],
      [{ kind: 'channel', channel: 'anyone' }],
    ]);
  });

  test('two layers that ask for the same people ask once', () => {
    const held = [always('guardrail', 'require_approval'), always('default', 'require_approval')];
    expect(judge(held, 'pay').demands).toEqual([
      { scope: 'guardrail', rule: null, approvers: [], quorum: 1, separate: false },
    ]);
  });

  test('a policy that the caller names does not stand in for one', () => {
    const named = always('named:mine', 'allow');
    expect(judge([named], 'read')).toMatchObject({ decide: 'require_approval', scope: null });
    expect(judge([always('default', 'allow'), named], 'read').decide).toBe('allow');
  });
});

describe('fail closed', () => {
  test.each([
    ['no policy at all', []],
    [
      'policies that abstain',
      [always('guardrail', 'abstain'), layer('default', 'rules: [{ action: a, decide: allow }]')],
    ],
  ])('%s: a person is asked', (_, layers) => {
    const verdict = judge(layers, 'read');
    expect(verdict).toMatchObject({
      decide: 'require_approval',
      demands: [{ scope: null, rule: null, approvers: [] }],
      rule: null,
      scope: null,
    });
    expect(verdict.reason).toContain('no policy covers this action');
  });

  test.each([
    ['alone', [broken('guardrail')]],
    ['before one that allows', [broken('guardrail'), always('default', 'allow')]],
    ['after one that asks', [always('default', 'require_approval'), broken('guardrail')]],
  ])('a broken policy %s: denied', (_, layers) => {
    expect(judge(layers, 'read')).toMatchObject({
      decide: 'deny',
      scope: 'guardrail',
      rule: null,
      reason: 'the policy guardrail cannot be used: line 2, column 1: …',
    });
  });

  test('the verdict is never weaker than that of any layer', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.layer, { maxLength: 5 }), arbitrary.actionName, (layers, action) => {
        const { decide } = judge(layers, action);
        for (const layer of layers) {
          expect(severity(decide)).toBeGreaterThanOrEqual(
            severity(judge([layer], action).layers[0]?.decide ?? 'deny'),
          );
          if ('broken' in layer) expect(decide).toBe('deny');
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a layer more never weakens what the other layers say, wherever it stands', () => {
    const layers = fc.array(arbitrary.layer, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(layers, arbitrary.layer, fc.nat(4), arbitrary.actionName, (layers, added, at, action) => {
        const before = judge(layers, action);
        const after = judge(layers.toSpliced(at, 0, added), action);
        // Where every layer abstained nobody had said anything yet: a person was asked for want of a policy.
        if (before.scope === null) return;
        expect(severity(after.decide)).toBeGreaterThanOrEqual(severity(before.decide));
      }),
      { numRuns: 2_000 },
    );
  });

  test('what a caller names never weakens the verdict', () => {
    const layers = fc.array(arbitrary.layer, { maxLength: 4 });
    fc.assert(
      fc.property(layers, arbitrary.layer, arbitrary.actionName, (layers, added, action) => {
        const named = { ...added, scope: 'named:mine' };
        const [before, after] = [judge(layers, action), judge([...layers, named], action)];
        expect(severity(after.decide)).toBeGreaterThanOrEqual(severity(before.decide));
      }),
      { numRuns: 2_000 },
    );
  });

  test('allowed only if some layer allows and every other allows or abstains', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.layer, { maxLength: 5 }), arbitrary.actionName, (layers, action) => {
        const verdict = judge(layers, action);
        const said = verdict.layers.map((layer) => layer.decide);
        const covered = verdict.layers.some((l) => l.decide === 'allow' && !l.scope.startsWith('named:'));
        const allowed = covered && said.every((word) => word === 'allow' || word === 'abstain');
        expect(verdict.decide === 'allow').toBe(allowed);
      }),
      { numRuns: 2_000 },
    );
  });

  test('the decision does not depend on the order of the layers', () => {
    fc.assert(
      fc.property(fc.array(arbitrary.layer, { maxLength: 5 }), arbitrary.actionName, (layers, action) => {
        expect(judge(layers.toReversed(), action).decide).toBe(judge(layers, action).decide);
      }),
    );
  });
});

describe('a rule for what the agent told', () => {
  test.each<[string, Record<string, unknown>, Decide]>([
    ['tool: shop.*', { tool: 'shop.refund' }, 'allow'],
    ['tool: shop.*', { tool: 'bank.refund' }, 'deny'],
    ['tool: shop.*', {}, 'deny'],
    ['tool: "*"', {}, 'deny'],
    ['server: mcp-1, acting_agent: "*-bot"', { server: 'mcp-1', acting_agent: 'mail-bot' }, 'allow'],
    ['server: mcp-1, acting_agent: "*-bot"', { server: 'mcp-1', acting_agent: 'mail' }, 'deny'],
    ['on_behalf_of: "*@example.com"', { on_behalf_of: 'ann@example.com' }, 'allow'],
    ['tags: eu', { tags: ['us', 'eu'] }, 'allow'],
    ['tags: eu', { tags: ['us'] }, 'deny'],
    ['tags: eu', { tags: [] }, 'deny'],
    ['tags: eu', {}, 'deny'],
  ])('%s, told %j', (only, context, decide) => {
    const rules = [`  - { action: pay, ${only}, decide: allow }`, '  - { action: pay, decide: deny }'];
    expect(judge([layer('default', 'rules:', ...rules)], 'pay', { context }).decide).toBe(decide);
  });
});

describe('settings', () => {
  const asking = (scope: string, ...fields: string[]) =>
    layer(scope, 'rules:', `  - { action: pay, decide: require_approval, ${fields.join(', ')} }`);

  test('belong to the demand of their rule, or are the strictest of all that ask', () => {
    const one = asking(
      'guardrail',
      'quorum: 2',
      'timeout: 1h',
      'on_timeout: allow',
      'require_reason: on_reject',
    );
    const other = asking('default', 'separate: true', 'timeout: 5m', 'valid_for: 2m', 'on_timeout: allow');
    const { demands, settings } = judge([one, other], 'pay');
    expect(demands.map(({ scope, quorum, separate }) => ({ scope, quorum, separate }))).toEqual([
      { scope: 'guardrail', quorum: 2, separate: false },
      { scope: 'default', quorum: 1, separate: true },
    ]);
    expect(settings).toEqual({
      timeoutMs: 300_000,
      validForMs: 120_000,
      onTimeout: 'allow',
      requireReason: 'on_reject',
    });
  });

  test.each<[string, Layer]>([
    ['a rule that says nothing of it', asking('default', 'quorum: 1')],
    ['a rule that denies then', asking('default', 'on_timeout: deny')],
    ['a default', layer('default', 'default: require_approval')],
  ])('nobody is allowed by time where %s asks too', (_, other) => {
    const lax = asking('guardrail', 'on_timeout: allow');
    expect(judge([lax], 'pay').settings.onTimeout).toBe('allow');
    expect(judge([lax, other], 'pay').settings.onTimeout).toBe('deny');
    expect(judge([other, lax], 'pay').settings.onTimeout).toBe('deny');
  });

  test('of a layer that is overruled count for nothing', () => {
    const allows = layer('guardrail', 'rules:', '  - { action: pay, decide: allow, valid_for: 1s }');
    expect(judge([allows, asking('default', 'valid_for: 5m')], 'pay').settings.validForMs).toBe(300_000);
    expect(judge([allows], 'pay').settings.validForMs).toBe(1000);
  });
});

describe('a rule whose condition cannot be told', () => {
  const small = '  - { name: small, action: pay, when: payload.amount < 50, decide: allow }';
  const none = '  - { name: none, action: pay, when: payload.to == "eve", decide: deny }';
  const finance =
    '  - { name: big, action: pay, when: payload.amount > 9000, decide: require_approval, approvers: ["role:cfo"] }';
  const rest = (decide: Decide) =>
    `  - { name: rest, action: pay, decide: ${decide}, approvers: ["role:ops"] }`.replace(
      decide === 'require_approval' ? '\0' : ', approvers: ["role:ops"]',
      '',
    );
  const layerOf = (...rules: string[]) => layer('default', 'rules:', ...rules);
  const ops = { kind: 'role', role: 'ops' };
  const cfo = { kind: 'role', role: 'cfo' };

  test.each<[string, string[], Decide, string | null, object[][]]>([
    ['that allows, before one that allows', [small, rest('allow')], 'require_approval', 'small', [[]]],
    ['that allows, before one that denies', [small, rest('deny')], 'deny', 'rest', []],
    [
      'that allows, before one that asks',
      [small, rest('require_approval')],
      'require_approval',
      'rest',
      [[ops]],
    ],
    ['that allows, and nothing after it', [small], 'require_approval', 'small', [[]]],
    ['that denies, before one that allows', [none, rest('allow')], 'deny', 'none', []],
    ['that denies, and nothing after it', [none], 'deny', 'none', []],
    ['that asks, before one that allows', [finance, rest('allow')], 'require_approval', 'big', [[cfo]]],
    [
      'that asks, before one that asks',
      [finance, rest('require_approval')],
      'require_approval',
      'rest',
      [[ops], [cfo]],
    ],
    ['that asks, before one that allows and is unsure', [finance, small], 'require_approval', 'big', [[cfo]]],
  ])('%s', (_, rules, decide, rule, approvers) => {
    const verdict = judge([layerOf(...rules)], 'pay');
    expect(verdict).toMatchObject({ decide, rule });
    expect(verdict.demands.map((demand) => demand.approvers)).toEqual(approvers);
  });

  test('says which, and why', () => {
    expect(judge([layerOf(small)], 'pay').reason).toBe(
      'it cannot be told whether the rule "small" matches: field not found: amount',
    );
  });

  test('after the one that matches is not looked at', () => {
    expect(judge([layerOf(rest('allow'), none)], 'pay').decide).toBe('allow');
  });

  test('never makes the verdict weaker than it is without it', () => {
    const decides = fc.constantFrom<Decide>('allow', 'deny', 'require_approval');
    fc.assert(
      fc.property(decides, fc.option(decides, { nil: undefined }), (unsure, found) => {
        const rules = [`  - { action: pay, when: payload.x == 1, decide: ${unsure} }`];
        if (found) rules.push(`  - { action: pay, decide: ${found} }`);
        const { decide } = judge([layerOf(...rules)], 'pay');
        const least = Math.max(severity('require_approval'), severity(unsure), severity(found ?? 'abstain'));
        expect(severity(decide)).toBe(least);
      }),
    );
  });

  test('of so many that nobody could be asked denies', () => {
    const rules = (count: number) =>
      Array.from(
        { length: count },
        (_, n) =>
          `  - { action: pay, when: payload.x == ${n}, decide: require_approval, approvers: ["role:r${n}"] }`,
      );
    expect(judge([layerOf(...rules(20))], 'pay').demands).toHaveLength(20);
    expect(judge([layerOf(...rules(21))], 'pay')).toMatchObject({
      decide: 'deny',
      demands: [],
      reason: expect.stringContaining('more than 20 groups'),
    });
  });
});
