import { PolicyScope } from '@placet/events';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readApprover } from '../approver.ts';
import { parsePolicy } from '../index.ts';
import { perMs, timeoutMs, validForMs } from '../limits.ts';
import { spanMs } from '../values.ts';
import { policySchema } from './policy-schema.ts';
import { schemaSaysOf } from './test-validating.ts';

/** The form of what stands at a path of the schema. */
const formAt = (...path: string[]): RegExp => {
  const inside = (found: unknown, step: string) => (found as Record<string, unknown>)[step];
  return new RegExp([...path, 'pattern'].reduce(inside, policySchema) as string, 'u');
};

/** Of each field what it may hold and what it may not: near its bounds, and as other people would write it. */
const values: Record<string, unknown[]> = {
  name: ['n', ' padded ', 'x'.repeat(200), '😀'.repeat(100), 'a\u2028b', '', 7, null, 'a\nb'],
  tool: ['kubectl', '*', 'a b', 'a\u2028b', ' a', 'x'.repeat(201)],
  tags: ['eu', ['eu']],
  schedule: [
    { zone: 'UTC', days: ['mon', 'sun'] },
    { zone: 'Europe/Berlin', hours: '23:00-24:00' },
    { zone: 'utc', days: ['mon'], hours: '00:00-00:01' },
    { zone: 'Mars/Olympus', days: ['mon'] },
    { zone: 'UTC' },
  ],
  when: ['payload.a < 1', ' true ', '', true, 'payload.'],
  approvers: [
    ['#a'],
    ['role:b', 'user:A@b.c'],
    ['#😀'],
    [`#${'x'.repeat(80)}`],
    [],
    ['user:a@b.c', 'user:A@b.c'],
    ['pagerduty:A_1-b'],
    { any: ['#a', { all: ['role:b', 'role:c'] }] },
    { all: [{ any: ['role:b', 'role:c'] }, { any: ['role:b', 'role:c'] }] },
    { all: ['role:b', { all: ['role:c', { any: ['role:d', { any: ['#e'] }] }] }] },
    ['#a', { any: ['#b', { all: ['role:b', 'role:c'] }] }, { all: ['role:b', 'role:d'] }],
    [{ all: ['role:b', 'role:c'] }, { all: ['role:b', 'role:c'] }],
    { all: ['role:b'], any: ['role:b'] },
    { all: [] },
    { every: ['role:b'] },
    {},
  ],
  quorum: [1, 20, 2.0, 0, '2'],
  separate: [true, false, 'yes'],
  reject: ['any', 'majority', 'all', 1],
  timeout: ['1s', '5d', '0005d', '120h', '432000s', '432001s', '', 5],
  on_timeout: ['deny', 'allow', 'ask'],
  remind: [['50%'], ['1%', '99%'], ['90%', '50%'], ['0%'], ['100%'], ['5.5%'], [0.5], ['50%', '50%'], []],
  escalate: [
    [{ after: '5m', to: ['role:b'] }],
    [
      { after: '1s', to: ['role:b', '#c'], replace: false },
      { after: '60s', to: ['role:b', '#c'], replace: true },
    ],
    [{ after: '5d', to: ['pagerduty:x', 'user:a@b.c'] }],
    [{ after: '5m', to: [{ any: ['role:b'] }] }],
    [{ after: '5m', to: [] }],
    [{ after: '5m' }],
    [],
  ],
  inform: [['owner'], ['owner', '#a', 'role:b', 'user:a@b.c', 'pagerduty:x'], ['owner', 'owner'], ['me'], []],
  require_reason: ['never', 'on_reject', 'always', false],
  only_in: [['inbox'], ['api', 'slack', 'email', 'inbox'], ['inbox', 'inbox'], ['teams'], [], 'inbox'],
  severity: ['info', 'warning', 'error', 'critical', 'loud', 1],
  choices: [
    [
      { name: 'retry', means: 'allow' },
      { name: 'skip', means: 'deny' },
    ],
    [
      { name: 'Überspringen & weiter', means: 'deny' },
      { name: 'x'.repeat(60), means: 'allow' },
    ],
    [
      { name: 'a', means: 'allow' },
      { name: 'b', means: 'allow' },
    ],
    [
      { name: 'a', means: 'allow' },
      { name: 'a', means: 'deny' },
    ],
    [{ name: 'a', means: 'allow' }],
    [{ name: 'a', means: 'allow' }, { name: 'b' }],
  ],
  editable: [['payload.a'], ['payload.a-b.0', 'payload.a'], ['payload.a', 'payload.a'], ['payload'], []],
  valid_for: ['1d', '24h', '000000001s', '25h', '0s'],
  reason: [`${'x'.repeat(1000)}\n\n \n`, 'a\n\tb\n', `${'😀'.repeat(500)}`, 'x'.repeat(1001), '\n'],
  limit: [
    { count: 1, per: '1h' },
    { count: 1_000_000_000, per: '31d', by: 'agent.id', else: 'deny' },
    { count: 1, per: '1h', else: 'require_approval' },
    { count: 0, per: '1h' },
    3,
  ],
  budget: [
    { sum: 'payload.a', max: 0.000001, per: '1s' },
    { sum: '1', max: 0.1, per: '1d', else: 'deny' },
    { sum: 'payload.a', max: 1e12, per: '1h' },
    { sum: 'payload.a', max: 0.0000001, per: '1h' },
  ],
  redact: [
    ['payload.a'],
    ['payload.a-b.0', 'payload.a'],
    ['payload.a', 'payload.a'],
    [{ path: 'payload.a', except: ['role:b', 'role:c'] }, 'payload.d'],
    [{ path: 'payload.a', except: [] }],
    [{ path: 'payload.a', except: ['user:a@b.c'] }],
    [{ path: 'payload.a', except: ['role:b'] }, 'payload.a'],
    [{ path: 'payload.a' }],
    ['payload'],
    [],
  ],
};

const optional = (pools: Record<string, unknown[]>) =>
  fc
    .subarray(Object.keys(pools), { maxLength: 3 })
    .chain((names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom(...(pools[name] ?? []))]))),
    );

const anyRule = fc
  .tuple(
    fc.constantFrom('a', 'refund.*', '*', 'a\u2028b'),
    fc.constantFrom('allow', 'deny', 'require_approval'),
    optional(values),
  )
  .map(([action, decide, fields]) => ({ action, decide, ...fields }));

const told = ['x', ' x', 'x'.repeat(200), ''];
const anyTest = fc
  .tuple(
    fc.constantFrom('a', 'b.c'),
    optional({
      name: told,
      payload: [{}, { a: [null, 1, { b: true }] }, [], 'text', 7],
      agent: told,
      owner: told,
      case: told,
      tags: [['a', 'b'], [], 'a', [7]],
      now: ['2026-03-02T10:00:00Z', '2026-03-02T10:00:00.123+01:00', '2026-03-02', '2026-13-02T10:00:00Z'],
    }),
  )
  .map(([action, fields]) => ({ action, expect: 'deny', ...fields }));

const anyPolicy = fc
  .tuple(
    optional({
      default: ['allow', 'deny', 'require_approval', 'ask'],
      lists: [{}, { a: [] }, { a_1: ['x', 1, true, 1.5, ''] }, { true: [1] }, { A: [] }],
      include: [[], ['money'], ['money', 'a-set'], ['nowhere'], 'money'],
    }),
    fc.array(anyRule, { maxLength: 2 }),
    fc.array(anyTest, { maxLength: 2 }),
  )
  .map(([fields, rules, tests]) => ({ version: 1, ...fields, rules, tests }));

const sets = new Map(['money', 'a-set'].map((name) => [name, 'version: 1']));

describe('the schema is never stricter than the parser', () => {
  test('whatever policy the parser accepts, the schema accepts', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const text = JSON.stringify(policy);
        if (!parsePolicy(text, { isAccepted: true, sets }).ok) return;
        accepted += 1;
        expect(schemaSaysOf(text)).toBe('accepted');
      }),
      { numRuns: 4_000 },
    );
    expect(accepted).toBeGreaterThan(400);
  });

  test.each(Object.entries(values))('of the values of %s', (field, candidates) => {
    let accepted = 0;
    for (const value of candidates)
      for (const decide of ['allow', 'deny', 'require_approval']) {
        const named = { name: 'n', action: 'a', decide, [field]: value };
        const text = JSON.stringify({ version: 1, rules: [named] });
        if (!parsePolicy(text).ok) continue;
        accepted += 1;
        expect(schemaSaysOf(text)).toBe('accepted');
      }
    expect(accepted).toBeGreaterThan(0);
  });

  test('whoever the parser takes for an approver', () => {
    const pieces = fc.constantFrom(
      '#',
      'role:',
      'user:',
      'pagerduty:',
      '_',
      '@',
      'a',
      'B',
      '-',
      '.',
      ' ',
      ':',
      '😀',
      '\u200b',
      ',',
    );
    const approver = formAt('definitions', 'approver');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 6 }), (found) => {
        const text = found.join('');
        if (!('wrong' in readApprover(text))) expect(text).toMatch(approver);
        // Apart from characters that cannot be seen it is the same.
        else if (!text.includes('\u200b')) expect(text).not.toMatch(approver);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('the schema says as much as the parser', () => {
  test.each([
    ['timeout', timeoutMs, formAt('definitions', 'rule', 'properties', 'timeout')],
    ['valid_for', validForMs, formAt('definitions', 'rule', 'properties', 'valid_for')],
    ['per', perMs, formAt('definitions', 'limit', 'properties', 'per')],
  ])('of the spans of %s', (_, { min, max }, form) => {
    const [least = 0, most = 0] = [spanMs(min), spanMs(max)];
    const count = fc.oneof(
      fc.nat(999_999_999),
      fc.nat(200),
      fc.constantFrom(1_000, 60_000, 3_600_000, 86_400_000).chain((unit) => {
        const bound = Math.floor(most / unit);
        return fc.integer({ min: Math.max(0, bound - 2), max: bound + 2 });
      }),
    );
    fc.assert(
      fc.property(count, fc.constantFrom('s', 'm', 'h', 'd', 'w', ''), (counted, unit) => {
        const text = `${counted}${unit}`;
        const ms = spanMs(text);
        const fits = ms !== undefined && ms >= least && ms <= most;
        expect([text, form.test(text)]).toEqual([text, fits]);
      }),
      { numRuns: 5_000 },
    );
  });

  test('of the hours of a day', () => {
    const hours = formAt('definitions', 'schedule', 'properties', 'hours');
    const time = fc
      .tuple(fc.nat(25), fc.nat(61))
      .map((time) => time.map((n) => String(n).padStart(2, '0')).join(':'));
    fc.assert(
      fc.property(time, time, (from, until) => {
        fc.pre(from !== until);
        const text = JSON.stringify({
          version: 1,
          rules: [{ action: 'a', decide: 'deny', schedule: { zone: 'UTC', hours: `${from}-${until}` } }],
        });
        expect(hours.test(`${from}-${until}`)).toBe(parsePolicy(text).ok);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['money', 'a-1', 'Money', 'a.b', '', 'x'.repeat(64), 'x'.repeat(65)])(
    'of the name of a set: "%s"',
    (name) => {
      expect(formAt('properties', 'include', 'items').test(name)).toBe(
        PolicyScope.safeParse(`set:${name}`).success,
      );
    },
  );
});
