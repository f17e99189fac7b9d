import { expect, test } from 'vitest';
import { formatJunit } from './junit.ts';
import { halfTested, noPolicy, testedFile, untested } from './test-files.ts';

test('a file is a suite, a test a case, and a failure says why', () => {
  expect(formatJunit([halfTested])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="placet policy test" tests="2" failures="1" errors="0" skipped="0">
  <testsuite name="refunds.yaml" tests="2" failures="1" errors="0" skipped="0">
    <testcase name="a small one" classname="refunds.yaml" file="refunds.yaml" line="7"/>
    <testcase name="a large one" classname="refunds.yaml" file="refunds.yaml" line="8">
      <failure message="expected allow, and it is require_approval: no rule of the policy default matches, and its default asks people">refund in line 8: expected allow, and it is require_approval: no rule of the policy default matches, and its default asks people, by no rule</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test('what is not a policy is one case in error, and a policy without tests an empty suite', () => {
  const document = formatJunit([noPolicy, untested]);
  expect(document).toContain('<testsuites name="placet policy test" tests="1" failures="0" errors="1"');
  expect(document).toContain('<error message="line 2, column 10: default: expected');
  expect(document).toContain('<testsuite name="untested.yaml" tests="0" failures="0"');
});

test('cases of one name are told apart by their lines', () => {
  const document = formatJunit([
    testedFile('f', 'default: deny', 'tests:', '  - &t { action: a, expect: deny }', '  - *t'),
  ]);
  expect(document).toContain('name="deny for a (line 4)"');
  expect(document).toContain('name="deny for a (line 5)"');
});

test('what XML cannot carry is left out, and the rest is escaped', () => {
  const file = '<&>"\'\u0000\u001b\uFFFE\uD800\n.yaml';
  const document = formatJunit([{ ...untested, file }]);
  expect(document).toContain('<testsuite name="&lt;&amp;&gt;&quot;&apos;\uFFFD&#10;.yaml"');
});
