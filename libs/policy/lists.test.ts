import { describe, expect, test } from 'vitest';
import { compileLayer, evaluate } from './index.ts';
import { factsOf } from './test-arbitraries.ts';
import { policyOf, problemsOf } from './test-reading.ts';

const text = `version: 1
lists:
  domains: ["@example.com", "@example.org"]
  codes: [7, 8.5, true]
  none: []
rules:
  - action: mail
    when: payload.to.all(a, lists.domains.size() > 0 && a.endsWith("@example.com"))
    decide: allow
  - action: pay
    when: payload.code in lists.codes && !(payload.code in lists.none)
    decide: allow
default: deny
`;

describe('lists of a policy', () => {
  const layer = compileLayer({ scope: 'default', digest: 'd', revision: 1, policy: policyOf(text) });
  const decide = (action: string, payload: object) => evaluate([layer], factsOf(action, { payload })).decide;

  test.each([
    ['mail', { to: ['ann@example.com'] }, 'allow'],
    ['mail', { to: ['ann@example.com', 'eve@example.net'] }, 'deny'],
    ['pay', { code: 7 }, 'allow'],
    ['pay', { code: 8.5 }, 'allow'],
    ['pay', { code: true }, 'allow'],
    ['pay', { code: '7' }, 'deny'],
  ])('%s of %j: %s', (action, payload, expected) => expect(decide(action, payload)).toBe(expected));

  test('belong to their policy alone', () => {
    const other = policyOf(
      'version: 1\nlists: { codes: [1] }\nrules: [{ action: pay, when: payload.code in lists.codes, decide: deny }]',
    );
    const layers = [layer, compileLayer({ scope: 'guardrail', digest: 'e', revision: 1, policy: other })];
    expect(evaluate(layers, factsOf('pay', { payload: { code: 7 } })).decide).toBe('allow');
    expect(evaluate(layers, factsOf('pay', { payload: { code: 1 } })).decide).toBe('deny');
  });
});

describe('are refused', () => {
  test.each([
    ['lists: [a]', 'lists: expected a map of lists, found a list'],
    ['lists: { a: b }', 'lists: expected a list of values, found the text "b"'],
    ['lists: { a: [[b]] }', 'lists: expected a text, a number, true or false, found a list'],
    ['lists: { a: [null] }', 'lists: expected a text, a number, true or false, found nothing'],
    ['lists: { a: [.inf] }', 'lists: expected a text, a number, true or false'],
    ['lists: { A-b: [] }', 'lists: the name of a list has lower-case letters'],
    ['lists: { a: [], a: [] }', '"a" is written twice, first in line 2'],
    ['lists: { a: }', 'lists: a list without values has to be written as []'],
    [`lists: { a: [${'1,'.repeat(201)}] }`, 'lists: at most 200 values, found 201'],
    [
      `lists: { ${Array.from({ length: 51 }, (_, n) => `l${n}: []`).join(', ')} }`,
      'lists: at most 50 lists, found 51',
    ],
  ])('%s', (lists, expected) => expect(problemsOf(`version: 1\n${lists}`)).toContain(expected));

  test('where a condition names one that is not there', () => {
    const wrong = text.replace('in lists.codes', 'in lists.code');
    expect(problemsOf(wrong)).toBe(
      'line 11, column 32: when: lists has no field "code": did you mean "codes"?',
    );
  });
});
