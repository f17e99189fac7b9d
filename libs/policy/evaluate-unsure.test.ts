import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, layer, severity } from './test-judging.ts';
import type { Decide } from './types.ts';

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
