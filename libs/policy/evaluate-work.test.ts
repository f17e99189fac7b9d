import { expect, test } from 'vitest';
import { judge, layer } from './test-judging.ts';

/** Each asks of a thousand elements whether they are in a list of two hundred, five times. */
const dear = Array.from({ length: 5 }, () => 'x in lists.a').join(' || ');
const layerOf = (rules: number) =>
  layer(
    'default',
    `lists: { a: [${Array.from({ length: 200 }, (_, n) => n).join(', ')}] }`,
    'rules:',
    ...Array.from(
      { length: rules },
      (_, n) => `  - { name: r${n}, action: pay, when: 'payload.l.exists(x, ${dear})', decide: deny }`,
    ),
    '  - { name: last, action: pay, decide: allow }',
  );
const payload = { l: Array.from({ length: 1_000 }, (_, n) => -1 - n) };

test('what the conditions of one request may cost is bounded, and beyond it nobody can say', () => {
  expect(judge([layerOf(0)], 'pay', { payload })).toMatchObject({ decide: 'allow', rule: 'last' });
  expect(judge([layerOf(50)], 'pay', { payload: { l: [-1] } })).toMatchObject({
    decide: 'allow',
    rule: 'last',
  });
  const verdict = judge([layerOf(50)], 'pay', { payload });
  expect(verdict).toMatchObject({ decide: 'deny' });
  expect(verdict.reason).toBe(
    'it cannot be told whether the rule "r0" matches: the conditions up to it take too long for this request',
  );
});
