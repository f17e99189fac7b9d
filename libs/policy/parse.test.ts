import { describe, expect, test } from 'vitest';
import { parsePolicy } from './index.ts';
import { policyOf, problemsOf, rule } from './test-reading.ts';

describe('accepts', () => {
  test("tollgate's policy as it stands", () => {
    const text = `version: 1
rules:
  - action: cancel_flight
    decide: require_approval
    approvers: ["#approvals"]
default: allow
`;
    expect(parsePolicy(text)).toEqual({
      ok: true,
      policy: {
        version: 1,
        includes: [],
        default: 'allow',
        rules: [
          {
            name: 'rule for cancel_flight',
            action: 'cancel_flight',
            only: {},
            decide: 'require_approval',
            counters: [],
            approvers: [{ kind: 'channel', channel: 'approvals' }],
            line: 3,
          },
        ],
      },
    });
  });

  test.each([
    ['only a version', 'version: 1', { version: 1, includes: [], rules: [] }],
    ['no rules', 'version: 1\nrules: []', { version: 1, includes: [], rules: [] }],
    [
      'JSON',
      '{"version": 1, "default": "deny", "rules": []}',
      { version: 1, includes: [], default: 'deny', rules: [] },
    ],
    ['a byte order mark', '\uFEFFversion: 1', { version: 1, includes: [], rules: [] }],
    [
      'Windows line ends',
      'version: 1\r\ndefault: deny\r\n',
      { version: 1, includes: [], default: 'deny', rules: [] },
    ],
    ['a directive and marks', '%YAML 1.2\n---\nversion: 1\n...\n', { version: 1, includes: [], rules: [] }],
  ])('%s', (_, text, policy) => {
    expect(parsePolicy(text)).toEqual({ ok: true, policy });
  });

  test('every field of a rule', () => {
    const text = rule(
      'name: payments',
      'tool: bank.*',
      'tags: eu',
      'decide: require_approval',
      'approvers: ["#pay", "role:manager", "user:Dana@Example.com", "pagerduty:Air_line-1"]',
      'reason: |',
      '  Money leaves.',
      '  Look twice.',
    );
    expect(policyOf(text).rules).toEqual([
      {
        name: 'payments',
        action: 'pay',
        only: { tool: 'bank.*', tags: 'eu' },
        decide: 'require_approval',
        counters: [],
        approvers: [
          { kind: 'channel', channel: 'pay' },
          { kind: 'role', role: 'manager' },
          { kind: 'user', email: 'dana@example.com' },
          { kind: 'pagerduty', service: 'Air_line-1' },
        ],
        reason: 'Money leaves.\nLook twice.',
        line: 3,
      },
    ]);
  });

  test('a rule that stands for another by alias', () => {
    const text = 'version: 1\nrules:\n  - &deny { action: "a*", decide: deny }\n  - *deny';
    expect(policyOf(text).rules.map(({ action, line }) => [action, line])).toEqual([
      ['a*', 3],
      ['a*', 4],
    ]);
  });
});

test.each([
  ['an empty file', '', 'line 1, column 1: the policy is empty: expected at least "version: 1"'],
  ['only a comment', '# later\n', 'line 1, column 1: the policy is empty: expected at least "version: 1"'],
  [
    'a list',
    '\n- action: a',
    'line 2, column 1: expected a map with version, default and rules, found a list',
  ],
  [
    'a text',
    'version:1',
    'line 1, column 1: expected a map with version, default and rules, found the text "version:1"',
  ],
  ['no version', 'default: deny', 'line 1, column 1: a policy needs version: write "version: 1"'],
  [
    'a version in quotes',
    'version: "1"',
    'line 1, column 10: version: expected the number 1, found the text "1": write it without quotes',
  ],
  ['another version', 'version: 2', 'line 1, column 10: version: expected the number 1, found the number 2'],
  ['a version without value', 'version:', 'line 1, column 1: version has no value'],
  ['a tab', 'version: 1\nrules:\n\t- a', 'line 3, column 1: a tab is not allowed as indentation: use spaces'],
  [
    'a key twice',
    'version: 1\n"version": 1',
    'line 2, column 1: "version" is written twice, first in line 1',
  ],
  [
    'two documents',
    'version: 1\n---\nversion: 1',
    'line 2, column 1: expected one document, found a second: a policy is one file, without a "---" inside',
  ],
  ['a tag', 'version: !!int 1', 'line 1, column 10: tags ("!!int") are not part of the policy language'],
  [
    'YAML 1.1',
    '%YAML 1.1\n---\nversion: 1',
    'line 1, column 1: directives are not part of the policy language, except "%YAML 1.2"',
  ],
  [
    'a list left open',
    'version: 1\nrules: [',
    'line 2, column 9: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'a default as in YAML 1.1',
    'version: 1\ndefault: no',
    'line 2, column 10: default: expected allow, deny or require_approval, found the text "no"',
  ],
  [
    'a default misspelt',
    'version: 1\ndefault: alow',
    'line 2, column 10: default: expected allow, deny or require_approval, found the text "alow": did you mean "allow"?',
  ],
  [
    'rules that are a map',
    'version: 1\nrules: { a: b }',
    'line 2, column 8: rules: expected a list, found a map',
  ],
  ['rules without value', 'version: 1\nrules:\n', 'line 2, column 1: rules has no value'],
  [
    'a rule that is a text',
    'version: 1\nrules: [deny]',
    'line 2, column 9: expected a rule with action and decide, found the text "deny"',
  ],
  [
    'an alias to what contains it',
    'version: 1\nrules: &a [*a]',
    'line 2, column 11: expected a rule with action and decide, found a list',
  ],
  [
    'a key without value in braces',
    'version: 1\nrules: [{ action, decide: deny }]',
    'line 2, column 11: action has no value',
  ],
  [
    'a rule without decide',
    rule('name: x'),
    'line 3, column 5: a rule needs decide: allow, deny or require_approval',
  ],
  [
    'an action that begins with a bare star',
    'version: 1\nrules:\n  - action: *\n    decide: deny',
    'line 3, column 13: Alias cannot be an empty string; in YAML a word that begins with * is an alias: put a pattern that begins with a star in quotes, as "*"',
  ],
  [
    'an action that begins with a star',
    'version: 1\nrules:\n  - action: *.x\n    decide: deny',
    'line 3, column 13: no anchor for the alias "*.x"; in YAML a word that begins with * is an alias: put a pattern that begins with a star in quotes, as "*"',
  ],
  [
    'an action with a space at its end',
    'version: 1\nrules:\n  - { action: "pay ", decide: deny }',
    'line 3, column 15: action: has spaces that cannot be seen: at its ends, or two in a row',
  ],
  [
    'a name that is a number',
    rule('name: 7', 'decide: deny'),
    'line 4, column 11: name: expected a text, found the number 7: put it in quotes',
  ],
  [
    'a name over two lines',
    rule('name: "a\\nb"', 'decide: deny'),
    'line 4, column 11: name: control characters are not allowed',
  ],
  [
    'half a surrogate pair',
    rule('name: "a\\ud800"', 'decide: deny'),
    'line 4, column 11: name: not valid Unicode (half of a surrogate pair)',
  ],
  [
    'an empty reason',
    rule('reason: "  "', 'decide: deny'),
    'line 4, column 13: reason: expected a text, found an empty one',
  ],
  [
    'a long name',
    rule(`name: ${'n'.repeat(201)}`, 'decide: deny'),
    'line 4, column 11: name: at most 200 characters, found 201',
  ],
  [
    'a long action',
    `version: 1\nrules: [{ action: ${'n'.repeat(201)}, decide: deny }]`,
    'line 2, column 19: action: at most 200 characters, found 201',
  ],
  [
    'a long reason',
    rule(`reason: ${'n'.repeat(1_001)}`, 'decide: deny'),
    'line 4, column 13: reason: at most 1000 characters, found 1001',
  ],
  [
    'approvers on a denial',
    rule('decide: deny', 'approvers: ["#a"]'),
    'line 5, column 5: approvers: only a rule that decides require_approval has approvers, this one decides deny',
  ],
  [
    'an unknown field',
    rule('decide: deny', 'aprovers: [x]'),
    'line 5, column 5: unknown field "aprovers" in a rule: did you mean "approvers"?',
  ],
  [
    'a field like none',
    rule('decide: deny', 'xyzzy_frobnicate: 1'),
    'line 5, column 5: unknown field "xyzzy_frobnicate" in a rule: expected name, action, tool, server, acting_agent, on_behalf_of, tags, schedule, when, decide, approvers, quorum, separate, reject, timeout, on_timeout, remind, escalate, inform, require_reason, choices, valid_for, reason, limit, budget, redact, editable, only_in or severity',
  ],
  [
    'a field at the wrong place',
    rule('decide: deny', 'default: deny'),
    'line 5, column 5: unknown field "default" in a rule: it belongs to a policy',
  ],
  [
    'a field at the wrong place',
    'version: 1\ndecide: deny',
    'line 2, column 1: unknown field "decide" in a policy: it belongs to a rule',
  ],
  [
    'a merge key',
    rule('decide: deny', '<<: { a: b }'),
    'line 5, column 5: merge keys ("<<") are not part of the policy language: write the fields out',
  ],
  [
    'a key that is a list',
    'version: 1\n[a]: 1',
    'line 2, column 1: expected the name of a field of a policy, found a list',
  ],
  ...['__proto__', 'constructor', 'toString'].map((name) => [
    `the field ${name}`,
    `version: 1\n${name}: { default: allow }`,
    `line 2, column 1: unknown field "${name}" in a policy: expected version, default, rules, lists, include or tests`,
  ]),
])('refuses %s', (_, text, expected) => {
  expect(problemsOf(text as string)).toBe(expected);
});

test('points at the channel without quotes when a # swallows the end of a list', () => {
  expect(problemsOf(rule('decide: require_approval', 'approvers: [#approvals]'))).toContain(
    'line 5, column 17: not valid YAML: Comments must be separated from other tokens by white space characters; in YAML a # begins a comment: put a channel in quotes, as "#approvals"',
  );
});

test('names every problem at once, in the order of the file, with its path', () => {
  const parsed = parsePolicy(`rules:
  - action: a
    decide: maybe
  - decide: deny
    onlyin: 1
default: perhaps
`);
  expect(parsed.ok ? [] : parsed.problems.map(({ line, column, path }) => [line, column, path])).toEqual([
    [1, 1, 'version'],
    [3, 13, 'rules[0].decide'],
    [4, 5, 'rules[1].action'],
    [5, 5, 'rules[1].onlyin'],
    [6, 10, 'default'],
  ]);
});
