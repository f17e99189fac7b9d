import { describe, expect, test } from 'vitest';
import { judge, layer } from './test-judging.ts';

const asking = (scope: string, ...fields: string[]) =>
  layer(scope, 'rules:', `  - { action: pay, decide: require_approval, ${fields.join(', ')} }`);
const both = (one: string, other: string) =>
  judge([asking('guardrail', one), asking('default', other)], 'pay');
const role = (name: string) => ({ kind: 'role', role: name });

describe('a demand', () => {
  test('has what its rule says of groups, rejections and escalations', () => {
    const groups = 'approvers: { all: ["role:a", "role:b"] }';
    const steps = 'escalate: [{ after: 5m, to: ["role:c"], replace: true }]';
    const strict = asking('guardrail', groups, steps, 'reject: majority');
    expect(judge([strict, asking('default', 'quorum: 1')], 'pay').demands).toEqual([
      {
        scope: 'guardrail',
        rule: 'rule for pay',
        approvers: [role('a'), role('b')],
        ways: [[['role:a'], ['role:b']]],
        quorum: 1,
        separate: false,
        reject: 'majority',
        escalate: [{ afterMs: 300_000, to: [role('c')], replace: true }],
      },
      { scope: 'default', rule: 'rule for pay', approvers: [], quorum: 1, separate: false },
    ]);
  });

  test.each([
    ['reject: majority', 'reject: any', 2],
    ['reject: majority', 'reject: majority', 1],
    ['approvers: { all: ["role:a", "role:b"] }', 'approvers: ["role:a", "role:b"]', 2],
    ['approvers: { any: ["role:a", "role:b"] }', 'approvers: ["role:a", "role:b"]', 1],
    ['escalate: [{ after: 5m, to: ["#a"] }]', 'escalate: [{ after: 6m, to: ["#a"] }]', 2],
    ['escalate: [{ after: 5m, to: ["#a"] }]', 'escalate: [{ after: 300s, to: ["#a"] }]', 1],
  ])('of %s, and one of %s', (one, other, count) => {
    expect(both(one, other).demands).toHaveLength(count);
  });
});

describe('the settings of a verdict', () => {
  test('remind as often as any of those who ask, and inform all whom any of them informs', () => {
    const one = 'remind: [50%, 90%], inform: [owner, "#a"]';
    const other = 'remind: [25%, 50%], inform: ["#a", "role:b"]';
    expect(both(one, other).settings).toMatchObject({
      remind: [0.25, 0.5, 0.9],
      inform: ['owner', { kind: 'channel', channel: 'a' }, role('b')],
    });
  });

  test.each([
    ['only_in: [slack, inbox]', 'only_in: [inbox, email]', ['inbox']],
    ['only_in: [slack, api]', 'quorum: 1', ['slack', 'api']],
    ['only_in: [slack]', 'only_in: [email]', ['inbox']],
    ['quorum: 1', 'quorum: 2', undefined],
  ])('with %s and %s let people decide where both do', (one, other, onlyIn) => {
    expect(both(one, other).settings.onlyIn).toEqual(onlyIn);
  });

  test.each([
    ['severity: info', 'severity: critical', 'critical'],
    ['severity: error', 'severity: warning', 'error'],
    ['quorum: 1', 'severity: info', 'info'],
    ['quorum: 1', 'quorum: 2', undefined],
  ])('with %s and %s are as loud as the louder', (one, other, severity) => {
    expect(both(one, other).settings.severity).toBe(severity);
  });

  test.each([
    ['payload.a, payload.b', 'payload.b, payload.c', ['payload.b']],
    ['payload.a', 'payload.a.b, payload.a.c, payload.d', ['payload.a.b', 'payload.a.c']],
    ['payload.a.b', 'payload.a', ['payload.a.b']],
    ['payload.ab', 'payload.a', undefined],
    ['payload.a', 'payload.b', undefined],
  ])('let [%s] and [%s] be changed where both let it', (one, other, editable) => {
    const { settings } = both(`editable: [${one}]`, `editable: [${other}]`);
    expect(settings.editable).toEqual(editable);
  });

  test.each([
    ['a rule that names none', asking('default', 'quorum: 1')],
    ['a default', layer('default', 'default: require_approval')],
    [
      'a rule of which it cannot be told whether it matches',
      layer('default', 'rules:', '  - { action: pay, when: payload.x == 1, decide: allow }'),
    ],
  ])('let nothing be changed where %s asks too', (_, other) => {
    const one = asking('guardrail', 'editable: [payload.a]');
    expect(judge([one], 'pay').settings.editable).toEqual(['payload.a']);
    expect(judge([one, other], 'pay').settings).not.toHaveProperty('editable');
  });

  test('let nothing be changed that any layer hides', () => {
    const hides = layer(
      'default',
      'rules:',
      '  - { action: pay, decide: allow, redact: [payload.a.b, payload.c] }',
    );
    const one = asking('guardrail', 'editable: [payload.a, payload.c.d, payload.e]');
    expect(judge([one, hides], 'pay').settings.editable).toEqual(['payload.e']);
  });

  test('have the choices of all, and one that means both means deny', () => {
    const one = 'choices: [{ name: a, means: allow }, { name: b, means: deny }, { name: c, means: allow }]';
    const other = 'choices: [{ name: c, means: deny }, { name: b, means: allow }, { name: d, means: allow }]';
    const choices = [
      { name: 'a', means: 'allow' },
      { name: 'b', means: 'deny' },
      { name: 'c', means: 'deny' },
      { name: 'd', means: 'allow' },
    ];
    expect(both(one, other).settings.choices).toEqual(choices);
    expect(both(one, 'quorum: 1').settings.choices).toEqual(
      choices.with(2, { name: 'c', means: 'allow' }).slice(0, 3),
    );
  });

  test('say nothing of how people are asked where nobody is', () => {
    const rule =
      '  - { name: n, action: pay, decide: allow, limit: { count: 1, per: 1h }, remind: [50%], editable: [payload.a], inform: [owner] }';
    expect(judge([layer('default', 'rules:', rule)], 'pay')).toMatchObject({
      decide: 'allow',
      settings: { onTimeout: 'deny' },
    });
    expect(Object.keys(judge([layer('default', 'rules:', rule)], 'pay').settings)).toEqual(['onTimeout']);
  });
});
