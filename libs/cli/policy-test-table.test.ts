import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { formatTable } from './policy-test-table.ts';
import { halfTested, noPolicy, testedFile, untested } from './test-files.ts';

const table = (...files: Parameters<typeof formatTable>[0]) => formatTable(files, false);

test('each test is a row, and what failed says why', () => {
  expect(table(halfTested)).toBe(`refunds.yaml
        test         action  expected  found             rule
  pass  a small one  refund  allow     allow             small refunds (line 4)
  FAIL  a large one  refund  allow     require_approval  default
        line 8: expected allow, and it is require_approval: no rule of the policy default matches, and its default asks people
  1 of 2 rules decided a test; the default (require_approval) was reached; without a test:
        line 5: never

1 passed, 1 failed
`);
});

test('what is not a policy says where, and counts as failed', () => {
  expect(table(noPolicy)).toBe(`wrong.yaml
  FAIL  it is not a policy
        wrong.yaml:2:10: default: expected allow, deny or require_approval, found the text "alow": did you mean "allow"?

0 passed, 1 failed
`);
});

test('a policy without tests says so, and does not fail', () => {
  expect(table(untested)).toBe('untested.yaml\n  it has no tests\n\n0 passed, 0 failed\n');
});

test('the last line counts over all files', () => {
  expect(table(halfTested, noPolicy, untested)).toMatch(/\n\n1 passed, 2 failed\n$/);
});

test('a default that no test reaches, and one that is not there, are named', () => {
  const rule = 'rules: [{ action: a, decide: deny }]';
  const kept = 'tests: [{ action: a, expect: deny }]';
  expect(table(testedFile('f', 'default: deny', rule, kept))).toContain(
    '1 of 1 rules decided a test; the default (deny) was not reached\n',
  );
  expect(table(testedFile('f', rule, kept))).toContain('there is no default\n');
  const unmet = table(testedFile('f', rule, 'tests: [{ action: b, expect: require_approval }]'));
  expect(unmet).toContain('  no rule\n');
  expect(unmet).toContain('there is no default, and a test met no rule; without a test:\n');
});

test('colours change nothing but the colours', () => {
  const files = [halfTested, noPolicy, untested];
  const coloured = formatTable(files, true);
  expect(coloured).toContain('\u001b[31mFAIL');
  expect(stripVTControlCharacters(coloured)).toBe(table(...files));
});

test('texts of the policy and the name of its file cannot steer the terminal', () => {
  const file = testedFile(
    'a\u001b[2Jb.yaml',
    'rules: [{ name: "x\\u202Ey", action: a, decide: deny, reason: "one\\ntwo" }]',
    'tests: [{ name: "p\\u2028q", action: a, expect: allow }]',
  );
  const text = table(file);
  expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
  expect(text).toContain('line 3: expected allow, and it is deny: one two\n');
});
