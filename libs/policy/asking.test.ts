import { describe, expect, test } from 'vitest';
import { policyOf, problemsOf, rule } from './test-reading.ts';

const asks = 'decide: require_approval';
const settingsOf = (...fields: string[]) => policyOf(rule(asks, ...fields)).rules[0];
const role = (name: string) => ({ kind: 'role', role: name });
const retry = { name: 'retry', means: 'allow' };
const skip = { name: 'skip', means: 'deny' };

describe('a rule says how people are asked', () => {
  test.each([
    ['reject: majority', { reject: 'majority' }],
    ['remind: [90%, 7%, "50%"]', { remind: [0.07, 0.5, 0.9] }],
    [
      'escalate: [{ after: 5m, to: ["role:a", "pagerduty:B"] }, { after: 1h, to: ["role:c"], replace: true }]',
      {
        escalate: [
          { afterMs: 300_000, to: [role('a'), { kind: 'pagerduty', service: 'B' }] },
          { afterMs: 3_600_000, to: [role('c')], replace: true },
        ],
      },
    ],
    [
      'escalate: [{ after: 1s, to: ["role:a"], replace: false }]',
      { escalate: [{ afterMs: 1_000, to: [role('a')] }] },
    ],
    [
      'inform: [owner, "#a", "user:B@c.d", "role:e"]',
      {
        inform: ['owner', { kind: 'channel', channel: 'a' }, { kind: 'user', email: 'b@c.d' }, role('e')],
      },
    ],
    ['choices: [{ name: retry, means: allow }, { name: skip, means: deny }]', { choices: [retry, skip] }],
    ['editable: [payload.a, payload.b.c]', { editable: ['payload.a', 'payload.b.c'] }],
  ])('%s', (field, settings) => expect(settingsOf(field)).toMatchObject(settings));

  test('what says no more than saying nothing is left out', () => {
    expect(settingsOf('reject: any')).not.toHaveProperty('reject');
  });

  test('a rule that allows has them for when its limit is reached', () => {
    const counts = ['name: n', 'decide: allow', 'limit: { count: 1, per: 1h }'];
    const fields = ['reject: majority', 'remind: [50%]', 'inform: [owner]', 'editable: [payload.a]'];
    expect(policyOf(rule(...counts, ...fields)).rules[0]).toMatchObject({
      reject: 'majority',
      remind: [0.5],
    });
  });
});

const many = (count: number, itemOf: (n: number) => string): string =>
  `[${Array.from({ length: count }, (_, n) => itemOf(n)).join(', ')}]`;

describe('is refused, with its place:', () => {
  test.each([
    ['reject: all', 'column 13: reject: expected any or majority, found the text "all"'],
    ['remind: []', 'column 13: remind: expected at least 1, as [50%, 90%], found none'],
    ['remind: 50%', 'column 13: remind: expected a list, as [50%, 90%], found the text "50%"'],
    [
      'remind: [50]',
      'column 14: remind: expected a share from "1%" to "99%", as 50%, found the number 50: write "50%"',
    ],
    ['remind: [0.5]', 'column 14: remind: expected a share from "1%" to "99%", as 50%, found the number 0.5'],
    ['remind: [0%]', 'column 14: remind: expected a share from "1%" to "99%", as 50%, found the text "0%"'],
    ['remind: [100%]', 'found the text "100%"'],
    ['remind: [12.5%]', 'found the text "12.5%"'],
    ['remind: [50%, 50%]', 'column 19: remind: "50%" is listed twice'],
    [`remind: ${many(11, (n) => `${n + 1}%`)}`, 'column 13: remind: at most 10 shares, found 11'],
    [
      'escalate: []',
      'column 15: escalate: expected at least 1, as [{ after: 5m, to: ["role:oncall"] }], found none',
    ],
    ['escalate: [5m]', 'column 16: escalate: expected a step with after and to, found the text "5m"'],
    [
      'escalate: [{ after: 5m }]',
      'column 16: a step of escalate needs to: who is asked then, as ["role:oncall"]',
    ],
    ['escalate: [{ to: ["#a"] }]', 'column 16: a step of escalate needs after: a span, as "5m"'],
    [
      'escalate: [{ after: 0s, to: ["#a"] }]',
      'column 25: after: expected a span from "1s" to "5d", as "15m", found the text "0s"',
    ],
    [
      'escalate: [{ after: 5m, to: [] }]',
      'column 33: to: expected at least 1, as ["role:oncall"], found none',
    ],
    [
      'escalate: [{ after: 5m, to: "#a" }]',
      'column 33: to: expected a list, as ["role:oncall"], found the text "#a"',
    ],
    ['escalate: [{ after: 5m, to: [{ any: ["#a"] }] }]', 'column 34: to: expected "#channel", "role:NAME"'],
    ['escalate: [{ after: 5m, to: ["#a", "#a"] }]', 'column 40: to: "#a" is listed twice'],
    [
      'escalate: [{ after: 5m, to: ["#a"], replace: 1 }]',
      'column 50: replace: expected true or false, found the number 1',
    ],
    [
      'escalate: [{ after: 5m, to: ["#a"], replaces: true }]',
      'column 41: unknown field "replaces" in a step of escalate: did you mean "replace"?',
    ],
    [
      'escalate: [{ after: 5m, to: ["#a"] }, { after: 300s, to: ["#b"] }]',
      'column 52: after: it does not come after the step before it',
    ],
    [
      `escalate: ${many(11, (n) => `{ after: ${n + 1}m, to: ["#a"] }`)}`,
      'column 15: escalate: at most 10 steps, found 11',
    ],
    ['inform: []', 'column 13: inform: expected at least 1, as [owner, "#approvals"], found none'],
    ['inform: owner', 'column 13: inform: expected a list, as [owner, "#approvals"], found the text "owner"'],
    [
      'inform: [Owner]',
      'column 14: inform: expected owner, "#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE", found "Owner"',
    ],
    ['inform: [owner, owner]', 'column 21: inform: "owner" is listed twice'],
    [
      'inform: [{ any: ["#a"] }]',
      'column 14: inform: expected owner, "#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE", found a map',
    ],
    [`inform: ${many(21, (n) => `"role:r${n}"`)}`, 'column 13: inform: at most 20 to tell, found 21'],
    [
      'choices: [{ name: a, means: allow }]',
      'column 14: choices: expected at least 2, as [{ name: retry, means: allow }, { name: skip, means: deny }], found 1',
    ],
    [
      'choices: [allow, deny]',
      'column 15: choices: expected a choice with name and means, found the text "allow"',
    ],
    [
      'choices: [{ name: a, means: deny }, { name: b, means: deny }]',
      'column 14: choices: none of them means allow: people could not allow it',
    ],
    [
      'choices: [{ name: a, means: allow }, { name: b, means: allow }]',
      'column 14: choices: none of them means deny: people could not refuse it',
    ],
    [
      'choices: [{ name: a, means: allow }, { name: a, means: deny }, { name: b, means: deny }]',
      'column 42: choices: "a" is listed twice',
    ],
    ['choices: [{ name: a, means: allow }, { name: b }]', 'column 42: a choice needs means: allow or deny'],
    [
      'choices: [{ name: a, means: allow }, { name: b, means: ask }]',
      'column 60: means: expected allow or deny, found the text "ask"',
    ],
    [
      'choices: [{ name: a, means: allow }, { name: 7, means: deny }]',
      'column 50: name: expected a text, found the number 7',
    ],
    [
      `choices: [{ name: a, means: allow }, { name: ${'b'.repeat(61)}, means: deny }]`,
      'column 50: name: at most 60 characters, found 61',
    ],
    [
      'choices: [{ name: a, means: allow }, { name: "b\\u0007", means: deny }]',
      'column 50: name: control characters are not allowed',
    ],
    [
      'choices: [{ name: a, means: allow }, { name: "a\\u200b", means: deny }]',
      'column 50: name: has a character that cannot be seen (U+200B)',
    ],
    [
      `choices: ${many(11, (n) => `{ name: c${n}, means: allow }`)}`,
      'column 14: choices: at most 10 choices, found 11',
    ],
  ])('%s', (field, expected) => {
    expect(problemsOf(rule(asks, field))).toContain(expected);
    expect(problemsOf(rule(asks, field))).toMatch(/^line 5, column /);
  });

  test.each([
    ['20m', 'line 6, column 25: after: it comes after the timeout, when nobody is asked any more'],
    ['900s', 'line 6, column 25: after: it comes with the timeout, when nobody is asked any more'],
  ])('a step after %s of 15 minutes', (after, expected) => {
    expect(problemsOf(rule(asks, 'timeout: 15m', `escalate: [{ after: ${after}, to: ["#a"] }]`))).toBe(
      expected,
    );
  });

  test.each([
    'reject: majority',
    'remind: [50%]',
    'escalate: [{ after: 5m, to: ["#a"] }]',
    'inform: [owner]',
    'editable: [payload.a]',
    'choices: [{ name: a, means: allow }, { name: b, means: deny }]',
  ])('%s in a rule that asks nobody', (field) => {
    for (const decide of ['allow', 'deny'])
      expect(problemsOf(rule(`decide: ${decide}`, field))).toBe(
        `line 5, column 5: ${field.split(':')[0]}: only a rule that decides require_approval has it, this one decides ${decide}`,
      );
  });
});

describe('what may be changed', () => {
  test.each([
    ['[]', 'editable: expected at least 1, as [payload.card_number], found none'],
    ['payload.a', 'editable: expected a list, as [payload.card_number], found the text "payload.a"'],
    [
      '[payload]',
      'line 5, column 16: editable: expected a path into the payload, as payload.card_number, found the text "payload"',
    ],
    [
      '[{ path: payload.a }]',
      'editable: expected a path into the payload, as payload.card_number, found a map',
    ],
    [many(51, (n) => `payload.a${n}`), 'editable: at most 50 paths, found 51'],
  ])('%s is refused', (value, expected) => {
    expect(problemsOf(rule(asks, `editable: ${value}`))).toContain(expected);
  });

  test.each([
    ['payload.card', 'payload.card'],
    ['payload.card', 'payload.card.number'],
    ['payload.card.number', 'payload.card'],
  ])('%s is refused where %s is hidden', (path, hidden) => {
    const expected = `editable: what is hidden cannot be changed, and "${hidden}" is redacted by this rule`;
    for (const redact of [hidden, `{ path: ${hidden}, except: ["role:a"] }`])
      expect(problemsOf(rule(asks, `redact: [${redact}]`, `editable: [payload.a, ${path}]`))).toBe(
        `line 6, column 27: ${expected}`,
      );
  });

  test('is not hidden by a path that only begins with the same letters', () => {
    expect(problemsOf(rule(asks, 'redact: [payload.card]', 'editable: [payload.cards]'))).toBe('accepted');
  });
});
