import { describe, expect, test } from 'vitest';
import type { ActionFacts } from '../facts.ts';
import { factsOf } from '../test-arbitraries.ts';

import { compileCondition } from './condition.ts';
import { subjectOf } from './subject.ts';

const lists = { domains: ['@example.com', '@example.org'], limits: [10, 50] };

const told = (text: string): string => {
  const compiled = compileCondition(text, { lists });
  if (compiled.ok) return 'accepted';
  return compiled.misuses.map(({ at, message }) => `${at}: ${message}`).join('\n');
};

const facts: ActionFacts = factsOf('refund.create', {
  payload: {
    amount: 12,
    customer: 'c-17',
    items: [{ n: 1 }, { n: 2.5 }],
    'a-b': true,
    byName: {},
    to: ['ann@example.com'],
    nothing: null,
  },
  context: { tool: 'stripe', tags: ['eu'], case: 'ticket-9' },
});

const holds = (text: string, more: Partial<ActionFacts> = {}) => {
  const compiled = compileCondition(text, { lists });
  if (!compiled.ok) throw new Error(told(text));
  return compiled.condition.holds(subjectOf({ ...facts, ...more }));
};

describe('a condition of a request', () => {
  test.each([
    ['payload.amount < 50 && agent.id == "support"', true],
    ['payload.amount * 2.0 < 20.0', false],
    ['payload.amount in [11, 12]', true],
    ['payload["a-b"]', true],
    ['payload.nothing == null', true],
    ['has(payload.reason) && payload.reason != ""', false],
    ['action.name.startsWith("refund.")', true],
    ['agent.owner.endsWith("@example.com")', true],
    ['context.tool == "stripe" && "eu" in context.tags', true],
    ['has(context.run)', false],
    ['payload.items.all(i, i.n > 0)', true],
    ['payload.items.exists_one(i, i.n > 2)', true],
    ['payload.items.map(i, i.n * 2.0).size() == 2', true],
    ['payload.to.exists(a, a.matches("@example[.]com$"))', true],
    ['now.getHours() == 10 && now.getHours("Europe/Berlin") == 11', true],
    ['now - timestamp("2026-03-01T10:30:00Z") == duration("24h")', true],
    ['size(payload.customer) > 3 ? true : false', true],
    ['[1, 2].exists(x, x + 1 == 2)', true],
    ['lists.domains.exists(d, payload.to[0].endsWith(d))', true],
    ['payload.to.all(a, a in ["ann@example.com"])', true],
    ['payload.items.exists(i, i.n in lists.limits)', false],
    ['payload.amount in lists.limits', false],
    ['"@example.org" in lists.domains', true],
    ['type(payload.amount) == double && type(payload.to) == list', true],
    ['payload.items.filter(i, i.n > 1).all(i, i.n > 2)', true],
    ['payload.items.all(i, i.n > 0 && agent.id == "support")', true],
    ['payload.amount > 0 || payload.missing == 1', true],
  ])('%s: %s', (text, expected) => expect(holds(text)).toBe(expected));

  test.each([
    ['payload.missing > 1', 'field not found: missing'],
    ['payload.customer > 1', 'it compares or computes with values of different kinds'],
    ['payload.amount', 'it is neither true nor false'],
    ['payload.items[7].n == 1', 'an element is not there'],
    ['context.run == "r"', 'field not found: run'],
    ['int(payload.customer) == 1', 'not a number'],
    ['payload.amount / 0.0 > 1.0', 'division by zero'],
    ['timestamp(payload.customer) < now', 'a value has not the form that it needs'],
    ['payload.byName[payload.customer] == 1', 'a field is not there'],
    ['payload.toString == 1', 'field not found: toString'],
  ])('%s cannot be told: %s', (text, why) => {
    expect(holds(text)).toEqual({ unsure: expect.stringContaining(why) });
  });

  test.each(['', ' ', 'ten', '0x10', '1e9', '1,000', '1 EUR', 'NaN', 'Infinity', '١'])(
    'the text "%s" is no number: a limit on it cannot be told',
    (amount) => {
      const unsure = { unsure: 'not a number' };
      expect(holds('double(payload.amount) > 1000.0', { payload: { amount } })).toEqual(unsure);
      expect(holds('int(payload.amount) > 1000', { payload: { amount } })).toEqual(unsure);
    },
  );

  test.each([
    ['1000.5', true],
    ['-3', false],
    ['999', false],
  ])('the text "%s" is a number', (amount, expected) => {
    expect(holds('double(payload.amount) > 1000.0', { payload: { amount } })).toBe(expected);
  });

  test('a field of the payload may have any name', () => {
    const payload = { constructor: 1, __proto__x: 2, toString: { valueOf: 3 } };
    expect(holds('payload.constructor == 1 && payload.toString.valueOf == 3', { payload })).toBe(true);
  });

  test('what an agent sends never becomes a part of the reason', () => {
    const payload = { at: 'pre-approved by security', key: 'go on', map: {} };
    for (const text of [
      'timestamp(payload.at) < now',
      'duration(payload.at) > duration("1s")',
      'bool(payload.at)',
      'payload.map[payload.key] == 1',
      'int(payload.at) > 1',
    ]) {
      expect(JSON.stringify(holds(text, { payload }))).not.toMatch(/pre-approved|go on/);
    }
  });

  test('tags that an agent did not name are none', () => {
    expect(holds('"eu" in context.tags', { context: {} })).toBe(false);
  });
});

describe('is refused with the place and what was meant', () => {
  test.each([
    ['payload.amount <', '15: not valid CEL: something has to follow here'],
    ['payload.amount = 50', '15: not valid CEL: write == instead of ='],
    ['payload.a == 1 and payload.b == 2', '15: not valid CEL: write && instead of and'],
    ['payload.a == 1 OR payload.b == 2', '15: not valid CEL: write || instead of OR'],
    ['payload.a == 1 &&', '15: not valid CEL: something has to follow here'],
    ['', '0: not valid CEL: something has to follow here'],
    [
      'paylod.amount < 5',
      '0: unknown name "paylod": did you mean "payload"? (a field of the payload is written payload.paylod)',
    ],
    [
      'amount < 5',
      '0: unknown name "amount": did you mean "agent"? (a field of the payload is written payload.amount)',
    ],
    [
      'agent.nmae == "x"',
      '5: agent has no field "nmae": did you mean "name"?'.replace(
        'did you mean "name"?',
        'expected id or owner',
      ),
    ],
    ['context.tols == "x"', '7: context has no field "tols": did you mean "tool"?'],
    ['agent.id.x == 1', '8: a text has no fields, so not "x"'],
    ['payload.a.startWith("b")', '9: there is no function "startWith": did you mean "startsWith"?'],
    ['size(1) == 1', '0: size does not take a whole number'],
    [
      'payload.amount * 2 < 5',
      '15: numbers of a payload have fractions, and * takes two of one kind: write 2.0 instead of 2',
    ],
    [
      'payload.amount + size(payload.to) < 5.0',
      '15: numbers of a payload have fractions, and + takes two of one kind: write double(…) around the whole one',
    ],
    [
      'payload.amount % 2 == 0',
      '15: numbers of a payload have fractions, and % takes whole ones: write int(…) around it',
    ],
    ['agent.id == 5', '9: a text is never equal to a whole number'],
    ['agent.id < 5', '9: a text and a whole number have no order'],
    ['agent.id && true', '5: expected true or false, and this is a text'],
    ['!agent.id', '6: expected true or false, and this is a text'],
    ['size(payload.to)', '0: a condition is true or false, and this is a whole number'],
    ['"a" - "b" == "c"', '3: - does not go with a text and a text'],
    ['payload.a in "abc"', '10: "in" looks in a list or a map, and this is a text'],
    ['agent.id.exists(x, x == "a")', '5: a list or a map is gone through, and this is a text'],
    ['payload.a.matches(payload.b)', '25: the pattern of matches is a text written out, such as "^[A-Z]+$"'],
    ['payload.due < now', '12: a payload holds no moments and spans of time: write timestamp(…)'],
    ['now - payload.at < duration("1h")', '3: a payload holds no moments and spans of time'],
    ['payload.a % payload.b == 0', '10: numbers of a payload have fractions, and % takes whole ones'],
    ['startsWith(action.name, "refund.")', '0: startsWith is written value.startsWith(…)'],
    ['payload.a.int() == 1', '9: int is written int(value)'],
    ['-duration("1h") < duration("0s")', '0: a span of time has no negative'],
    [
      'payload.a.all(x, x in payload.b)',
      '22: where a list of the request is gone through, only the element itself',
    ],
    ['payload.a.filter(x, true).all(x, x == payload.b)', '38: where a list of the request is gone through'],
    ['payload.a[0].all(x, x == payload.b)', '25: where a list of the request is gone through'],
    ['[payload.a][0].all(x, x == payload.b)', '27: where a list of the request is gone through'],
    ['{"a": payload.a}.a.all(x, x == payload.b)', '31: where a list of the request is gone through'],
    ['["a"].all(x, x in payload.b)', '14: where a list of the request is gone through'],
    ['"a" in lists.domain', '12: lists has no field "domain": did you mean "domains"?'],
    ['payload.a.all(x, x in context.tags)', '29: where a list of the request'],
    ['(payload.a + payload.b).all(x, x > 0)', '11: a list is gone through as it is in the request'],
    ['payload.a.matches("(")', '18: the pattern cannot be used: '],
    ['Payload{a: 1} == 1', '0: there is no type "Payload"'],
    [
      'payload.a.all(x, x.b.all(y, y > 0))',
      '20: all, exists, exists_one, map and filter cannot stand within each other: it would cost too much',
    ],
    [
      'x == 1 && agent.id == 2',
      '0: unknown name "x": expected payload, agent, action, context, now or lists; (a field of the payload is written payload.x)\n19: a text is never equal to a whole number',
    ],
  ])('%s', (text, expected) => expect(told(text)).toContain(expected));
});

describe('costs little, whatever it is', () => {
  test.each([
    ['brackets', '('.repeat(1900)],
    ['lists', '['.repeat(1900)],
    ['calls', 'size('.repeat(390)],
    ['nots', '!'.repeat(1900)],
    ['maps', '{1:'.repeat(600)],
    ['choices', 'a?b:'.repeat(480)],
    ['brackets after a comment', `true //'\n${'('.repeat(1900)}`],
    ['brackets after a text in three quotes', `'''it's''' == ${'('.repeat(1900)}`],
  ])('%s nested without end are refused before they are read', (_, text) => {
    expect(told(text)).toMatch(/a condition is at most 20 levels deep/);
  });

  test('brackets within a text are none', () => {
    expect(told(`payload.a == "${'('.repeat(100)}\\"((" || payload.b == r'${'['.repeat(100)}\\'`)).toBe(
      'accepted',
    );
  });

  test('a long text and one of many parts are refused', () => {
    expect(told(`payload.a == "${'x'.repeat(2000)}"`)).toContain('at most 2000 characters');
    expect(told(`${'payload.a||'.repeat(180)}payload.a`)).toContain('at most 300 parts');
    expect(told(`${'now==now?true:'.repeat(140)}true`)).toContain('at most 20 levels');
  });

  test('a list of more than 1,000 is not gone through', () => {
    const items = Array.from({ length: 1001 }, (_, n) => n);
    const unsure = 'the request has a list of 1001, and a condition goes through 1000 at most';
    expect(holds('payload.items.all(i, i >= 0)', { payload: { items } })).toEqual({ unsure });
    expect(holds('size(payload.items) > 1000', { payload: { items } })).toBe(true);
    expect(holds('payload.items.all(i, i >= 0)', { payload: { items: items.slice(1) } })).toBe(true);
    const map = Object.fromEntries(items.map((n) => [`k${n}`, n]));
    expect(
      holds('payload.items.exists(k, k == "k1")', { payload: { deep: [{ items: map }], items: {} } }),
    ).toEqual({
      unsure,
    });
  });

  test('a search through a long text for a long one is not made', () => {
    const [text, part] = ['a'.repeat(130_000), `${'a'.repeat(30_000)}b${'a'.repeat(30_000)}`];
    const unsure = { unsure: 'a text is too long to be searched' };
    expect(holds('payload.text.contains(payload.part)', { payload: { text, part } })).toEqual(unsure);
    expect(holds('payload.text.contains("aab")', { payload: { text } })).toBe(false);
  });

  test('a pattern looks at 4,000 characters at most', () => {
    const of = (count: number) => holds('payload.a.matches("a$")', { payload: { a: 'a'.repeat(count) } });
    expect(of(4_000)).toBe(true);
    expect(of(4_001)).toEqual({ unsure: 'a text is too long for a pattern' });
  });

  test.each([
    ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', true],
    ['^[A-Z]{2}[0-9]{2}[A-Z0-9]{1,30}$', true],
    ['(ab|[)}{9}]{3}){40}', true],
    ['a{500}', true],
    ['a{501}', false],
    ['(a|b|ab|ba){500}$', false],
    ['((a{10}){10}){10}', false],
    ['((a{9}){9}){6}', true],
  ])('a pattern is as long as it is written out: %s', (pattern, isTaken) => {
    const words = told(`payload.a.matches(${JSON.stringify(pattern)})`);
    if (isTaken) expect(words).toBe('accepted');
    else expect(words).toContain('with its repetitions written out it has more than 500 parts');
  });

  test('a pattern that takes JavaScript for ever takes no time', () => {
    expect(holds('payload.a.matches("^(a+)+$")', { payload: { a: `${'a'.repeat(3900)}!` } })).toBe(false);
  });
});
