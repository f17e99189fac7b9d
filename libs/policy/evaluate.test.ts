import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as arbitrary from './test-arbitraries.ts';
import { always, broken, judge, layer, severity } from './test-judging.ts';
import type { Decide, Layer } from './types.ts';

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
      reason: 'no rule of the policy agent:x matches, and its default allows it',
      rule: null,
      scope: 'agent:x',
      demands: [],
      settings: { onTimeout: 'deny' },
      layers: [{ scope: 'agent:x', digest: 'digest of agent:x', revision: 7, decide: 'allow', rule: null }],
      redact: [],
      redactExcept: {},
      uses: [],
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
      timeoutMs: 3_600_000,
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
    const lax = asking('guardrail', 'on_timeout: allow', 'timeout: 1h');
    expect(judge([lax], 'pay').settings.onTimeout).toBe('allow');
    expect(judge([lax, other], 'pay').settings.onTimeout).toBe('deny');
    expect(judge([other, lax], 'pay').settings.onTimeout).toBe('deny');
  });

  test('where time denies the shortest holds, and where it allows the longest', () => {
    const [short, long] = ['timeout: 1s', 'timeout: 4h'];
    const of = (word: string) => [asking('named:quick', short, word), asking('default', long, word)];
    expect(judge(of('on_timeout: allow'), 'pay').settings).toMatchObject({
      timeoutMs: 14_400_000,
      onTimeout: 'allow',
    });
    expect(judge(of('on_timeout: deny'), 'pay').settings).toMatchObject({
      timeoutMs: 1000,
      onTimeout: 'deny',
    });
  });

  test('of a layer that is overruled count for nothing', () => {
    const allows = layer('guardrail', 'rules:', '  - { action: pay, decide: allow, valid_for: 1s }');
    expect(judge([allows, asking('default', 'valid_for: 5m')], 'pay').settings.validForMs).toBe(300_000);
    expect(judge([allows], 'pay').settings.validForMs).toBe(1000);
  });
});
