import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact } from './redact.ts';
import { judge, layer } from './test-judging.ts';
import { policyOf, problemsOf, rule } from './test-reading.ts';

describe('the payload as people see it', () => {
  test.each([
    [{ card: '4111', amount: 5 }, ['payload.card'], { card: '[redacted]', amount: 5 }],
    [{ a: { b: { c: 1, d: 2 } } }, ['payload.a.b.c'], { a: { b: { c: '[redacted]', d: 2 } } }],
    [{ a: { b: 1 } }, ['payload.a'], { a: '[redacted]' }],
    [
      { items: [{ pin: 1, n: 2 }, { n: 3 }, 4] },
      ['payload.items.pin'],
      { items: [{ pin: '[redacted]', n: 2 }, { n: 3 }, '[redacted]'] },
    ],
    [{ a: null }, ['payload.a'], { a: '[redacted]' }],
    [{ b: {} }, ['payload.a', 'payload.b.c', 'payload.__proto__.x'], { b: {} }],
    [{ 'card.number': 1, x: 2 }, ['payload.card.number'], { 'card.number': '[redacted]', x: 2 }],
    [{ a: { 'b.c': { d: 1, e: 2 } } }, ['payload.a.b.c.d'], { a: { 'b.c': { d: '[redacted]', e: 2 } } }],
    [{ card: '4111' }, ['payload.card.number'], { card: '[redacted]' }],
    [{ a: { b: 1 } }, ['payload.a', 'payload.a.b'], { a: '[redacted]' }],
    [{ 'x-key': 1 }, ['payload.x-key'], { 'x-key': '[redacted]' }],
  ])('%j without %j', (payload, paths, shown) => {
    const before = structuredClone(payload);
    expect(redact(payload, paths)).toEqual(shown);
    expect(payload).toEqual(before);
  });

  test('a name of JavaScript is a name as others', () => {
    const payload = JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}');
    expect(JSON.stringify(redact(payload, ['payload.constructor']))).toBe(
      '{"__proto__":{"x":1},"constructor":"[redacted]"}',
    );
    expect(JSON.stringify(redact(payload, ['payload.__proto__.x']))).toBe(
      '{"__proto__":{"x":"[redacted]"},"constructor":2}',
    );
  });

  test('never holds what stood under a path', () => {
    const secret = 'a-secret-that-nothing-else-says';
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 }),
        fc.jsonValue(),
        (steps, more) => {
          const payload = steps.reduceRight<unknown>(
            (inner, step) => ({ other: more, [step]: inner }),
            secret,
          );
          expect(JSON.stringify(redact(payload, [`payload.${steps.join('.')}`]))).not.toContain(secret);
        },
      ),
    );
  });
});

describe('what a layer redacts', () => {
  const hides = (scope: string, decide: string, path: string) =>
    layer(scope, 'rules:', `  - { action: "*", decide: ${decide}, redact: [${path}] }`);

  test('is hidden whatever it decides, and beside what the others hide', () => {
    const verdict = judge(
      [hides('guardrail', 'require_approval', 'payload.a'), hides('default', 'allow', 'payload.b')],
      'pay',
    );
    expect(verdict).toMatchObject({ decide: 'require_approval', redact: ['payload.a', 'payload.b'] });
  });

  test('is hidden where it cannot be told whether its rule matches', () => {
    const unsure = layer(
      'default',
      'rules:',
      '  - { action: "*", when: payload.x > 1, decide: deny, redact: [payload.a] }',
    );
    expect(judge([unsure], 'pay').redact).toEqual(['payload.a']);
  });
});

describe('roles that are shown what is hidden', () => {
  const hides = (scope: string, path: string, ...roles: string[]) => {
    const except = JSON.stringify(roles.map((role) => `role:${role}`));
    const hidden = roles.length === 0 ? path : `{ path: ${path}, except: ${except} }`;
    return layer(scope, 'rules:', `  - { action: "*", decide: require_approval, redact: [${hidden}] }`);
  };

  test('are read beside the path', () => {
    const text = rule(
      'decide: allow',
      'redact: [payload.a, { path: payload.b, except: ["role:x", "role:y"] }]',
    );
    expect(policyOf(text).rules[0]).toMatchObject({
      redact: ['payload.a', 'payload.b'],
      redactExcept: { 'payload.b': ['x', 'y'] },
    });
  });

  test.each([
    ['of one layer', [hides('guardrail', 'payload.a', 'x', 'y')], { 'payload.a': ['x', 'y'] }],
    [
      'of two layers, those of both',
      [hides('guardrail', 'payload.a', 'x', 'y'), hides('default', 'payload.a', 'z', 'y')],
      { 'payload.a': ['y'] },
    ],
    [
      'of two layers that share none, nobody',
      [hides('guardrail', 'payload.a', 'x'), hides('default', 'payload.a', 'y')],
      {},
    ],
    [
      'nobody, where one layer hides it from all',
      [hides('guardrail', 'payload.a', 'x'), hides('default', 'payload.a')],
      {},
    ],
    [
      'of the layers that hide this path',
      [hides('guardrail', 'payload.a', 'x'), hides('default', 'payload.b', 'y')],
      { 'payload.a': ['x'], 'payload.b': ['y'] },
    ],
  ])('%s', (_, layers, redactExcept) => {
    expect(judge(layers, 'pay')).toMatchObject({ redactExcept });
  });

  test('nobody, where a rule of which it cannot be told whether it matches hides it from all', () => {
    const unsure = layer(
      'default',
      'rules:',
      '  - { action: "*", when: payload.x > 1, decide: deny, redact: [payload.a] }',
      '  - { action: "*", decide: require_approval, redact: [{ path: payload.a, except: ["role:x"] }] }',
    );
    expect(judge([unsure], 'pay')).toMatchObject({ redact: ['payload.a'], redactExcept: {} });
  });
});

test.each([
  ['[]', 'line 5, column 13: redact: expected at least 1, as [payload.card_number], found none'],
  ['payload.a', 'redact: expected a list, as [payload.card_number], found the text "payload.a"'],
  ['[payload]', 'redact: expected a path into the payload, as payload.card_number, found the text "payload"'],
  ['[card]', 'found the text "card"'],
  ['["payload.a[0]"]', 'found the text "payload.a[0]"'],
  ['[7]', 'found the number 7'],
  ['[payload.items.0.pin]', 'redact: expected a path into the payload'],
  [
    '[{ path: card, except: ["role:a"] }]',
    'line 5, column 22: path: expected a path into the payload, as payload.card_number, found the text "card"',
  ],
  [
    '[{ path: payload.a }]',
    'line 5, column 14: a part of redact needs except: the roles that are shown it, as ["role:fraud"]',
  ],
  [
    '[{ except: ["role:a"] }]',
    'line 5, column 14: a part of redact needs path: what is hidden, as payload.card_number',
  ],
  [
    '[{ path: payload.a, except: [] }]',
    'line 5, column 41: except: expected at least 1, as ["role:fraud"], found none',
  ],
  [
    '[{ path: payload.a, except: "role:a" }]',
    'line 5, column 41: except: expected a list, as ["role:fraud"], found the text "role:a"',
  ],
  [
    '[{ path: payload.a, except: ["#a"] }]',
    'line 5, column 42: except: expected a role, as "role:fraud", found the text "#a"',
  ],
  [
    '[{ path: payload.a, except: [fraud] }]',
    'line 5, column 42: except: expected a role, as "role:fraud", found the text "fraud"',
  ],
  [
    '[{ path: payload.a, except: ["role:a", "role:a"] }]',
    'line 5, column 52: except: "role:a" is listed twice',
  ],
  [
    '[{ path: payload.a, except: ["role:a"] }, { path: payload.a, except: ["role:b"] }]',
    'line 5, column 55: redact: "payload.a" is listed twice, and one of them has an except',
  ],
  [
    '[payload.a, { path: payload.a, except: ["role:b"] }]',
    'line 5, column 25: redact: "payload.a" is listed twice, and one of them has an except',
  ],
])('redact: %s is refused', (value, expected) => {
  expect(problemsOf(rule('decide: allow', `redact: ${value}`))).toContain(expected);
});
