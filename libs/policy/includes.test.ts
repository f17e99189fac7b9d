import { digestOfText } from '@placet/proof';
import { describe, expect, test } from 'vitest';
import { useId } from './counters.ts';
import { evaluate } from './evaluate.ts';
import { createLayers, formatProblems, type PolicyEntry, parsePolicy } from './index.ts';
import { factsOf } from './test-arbitraries.ts';

const money = `version: 1
lists: { banned: [eve] }
rules:
  - { name: no eve, action: pay, when: payload.to in lists.banned, decide: deny }
  - { name: few, action: pay.small, decide: allow, limit: { count: 3, per: 1h } }
`;
const including = (...names: string[]) => `version: 1
include: [${names.join(', ')}]
rules:
  - { name: more, action: "*", decide: allow, limit: { count: 5, per: 1h } }
`;

const told = (text: string, sets: Record<string, string> = { money }, isSet = false): string => {
  const parsed = parsePolicy(text, { sets: new Map(Object.entries(sets)), isSet });
  return parsed.ok ? 'accepted' : formatProblems(parsed.problems);
};

const entry = (scope: string, text: string, revision: number, removed = false): PolicyEntry => ({
  key: scope.replace(':', '.'),
  revision,
  status: 'valid',
  value: { scope, text, digest: digestOfText(text), ...(removed ? { removed } : {}) },
});

describe('a policy that includes a set', () => {
  const layers = () => createLayers([entry('set:money', money, 3), entry('default', including('money'), 4)]);
  const judge = (from: ReturnType<typeof layers>, action: string, payload: object) =>
    evaluate(from.forRequest({ agent: 'a' }), factsOf(action, { payload }));

  test('has its rules before its own', () => {
    expect(judge(layers(), 'pay', { to: 'eve' })).toMatchObject({
      decide: 'deny',
      rule: 'no eve',
      scope: 'default',
      reason: 'matched rule "no eve" of the set money',
    });
    expect(judge(layers(), 'pay', { to: 'ann' })).toMatchObject({ decide: 'allow', rule: 'more' });
  });

  test('names both texts as what decided', () => {
    expect(judge(layers(), 'pay', { to: 'eve' }).layers).toMatchObject([
      {
        scope: 'default',
        digest: digestOfText(including('money')),
        revision: 4,
        included: [{ scope: 'set:money', digest: digestOfText(money), revision: 3 }],
      },
    ]);
  });

  test('goes on with the count of a rule that moves into a set, and back', () => {
    const rule = '  - { name: few, action: pay, decide: allow, limit: { count: 3, per: 1h } }\n';
    const idOf = (...entries: PolicyEntry[]) => judge(createLayers(entries), 'pay', {}).uses.map(useId);
    const own = idOf(entry('default', `version: 1\nrules:\n${rule}`, 1));
    const moved = idOf(
      entry('set:money', `version: 1\nrules:\n${rule}`, 2),
      entry('default', 'version: 1\ninclude: [money]\n', 3),
    );
    expect(own).toHaveLength(1);
    expect(moved).toEqual(own);
  });

  test('follows the set when it changes, and cannot be used when it is taken away', () => {
    const followed = layers();
    followed.take(entry('set:money', money.replace('[eve]', '[ann]'), 5));
    expect(judge(followed, 'pay', { to: 'ann' }).decide).toBe('deny');
    expect(judge(followed, 'pay', { to: 'eve' }).decide).toBe('allow');
    followed.take(entry('set:money', money, 6, true));
    expect(judge(followed, 'pay', { to: 'eve' })).toMatchObject({ decide: 'deny', rule: null });
    expect(judge(followed, 'pay', { to: 'ann' }).reason).toContain('there is no set "money"');
  });

  test('is compiled when it is asked for, or in its turn, and is never as it was before', () => {
    const followed = createLayers([
      entry('set:money', money, 3),
      entry('default', including('money'), 4),
      entry('agent:b', including('money'), 5),
      entry('guardrail', 'version: 1', 6),
    ]);
    followed.take(entry('set:money', money.replace('[eve]', '[ann]'), 7));
    const copy = followed.with();
    expect(judge(followed, 'pay', { to: 'ann' }).decide).toBe('deny');
    expect([followed.compileNext(), followed.compileNext(), followed.compileNext()]).toEqual([
      false,
      false,
      false,
    ]);
    expect([copy.compileNext(), copy.compileNext()]).toEqual([true, false]);
    for (const layers of [followed, copy]) {
      const verdict = evaluate(layers.forRequest({ agent: 'b' }), factsOf('pay', { payload: { to: 'ann' } }));
      expect(verdict.decide).toBe('deny');
    }
    followed.take(entry('set:money', money, 8, true));
    expect(followed.broken()).toEqual([]);
    while (followed.compileNext());
    expect(followed.broken().map(({ scope }) => scope)).toEqual(['default', 'agent:b']);
  });

  test('cannot be used while a set cannot be trusted', () => {
    const followed = layers();
    followed.take({ key: 'set.money', revision: 7, status: 'forged', problem: 'its seal is wrong' });
    expect(judge(followed, 'pay', { to: 'ann' }).decide).toBe('deny');
  });

  test('a set alone is no layer', () => {
    const alone = createLayers([entry('set:money', money, 3)]);
    expect(alone.forRequest({ agent: 'a' })).toEqual([]);
    expect(judge(alone, 'pay', { to: 'eve' }).decide).toBe('require_approval');
  });
});

describe('is refused', () => {
  const none = 'PUT it to /v1/policies/set:other first';
  test.each([
    [
      'a set that is not there',
      including('other'),
      `line 2, column 11: include: there is no set "other": ${none}`,
    ],
    ['a slip in its name', including('mony'), 'include: there is no set "mony": did you mean "money"?'],
    [
      'one that is included twice',
      including('money', 'money'),
      'line 2, column 18: include: "money" is included twice',
    ],
    ['what is no name', including('7'), 'include: expected the name of a set, found the number 7'],
    ['what is no list', 'version: 1\ninclude: money', 'include: expected a list, found the text "money"'],
    [
      'more than may be',
      including(...Array.from({ length: 21 }, (_, n) => `s${n}`)),
      'at most 20 include, found 21',
    ],
  ])('%s', (_, text, expected) => expect(told(text)).toContain(expected));

  test('a name under which the set counts already', () => {
    const text = `version: 1\ninclude: [money]\nrules:\n  - { name: few, action: x, decide: allow, limit: { count: 5, per: 1h } }\n`;
    expect(told(text)).toBe(
      'line 1, column 1: line 4 counts under the name "few", and line 5 of the set money too: give each its own',
    );
  });

  test('a set that is none, with what is wrong with it', () => {
    expect(told(including('money'), { money: money.replace('deny', 'dney') })).toContain(
      'the set "money" cannot be used: line 4, column 76: decide: expected allow, deny or require_approval',
    );
  });

  test.each(['default: deny', 'include: [other]'])('a set with %s', (field) => {
    const [name] = field.split(':');
    expect(told(`version: 1\n${field}`, { other: 'version: 1' }, true)).toContain(
      `line 2, column 1: ${name}: a set has no ${name}: write it in the policy that includes the set`,
    );
  });

  test('more rules than a policy may have, with those of its sets', () => {
    const many = (count: number) =>
      `version: 1\nrules:\n${Array.from({ length: count }, (_, n) => `  - { action: a${n}, decide: deny }\n`).join('')}`;
    const sets = { a: many(1500), b: many(600) };
    expect(told('version: 1\ninclude: [a, b]', sets)).toContain(
      'at most 2000 rules with those of the sets, found 2100',
    );
  });

  test('more patterns than one policy may compile, with those of its sets', () => {
    const patterns = Array.from(
      { length: 150 },
      (_, n) => `  - { action: a, when: 'payload.x.matches("${n}")', decide: deny }`,
    );
    const set = `version: 1\nrules:\n${patterns.join('\n')}\n`;
    expect(told('version: 1\ninclude: [a, b]', { a: set, b: set })).toContain(
      'at most 200 patterns of matches in one policy',
    );
  });
});
