import { describe, expect, test } from 'vitest';
import { policyOf, problemsOf, rule } from './test-reading.ts';

const asks = 'decide: require_approval';

test('every setting of a rule that asks', () => {
  const fields = [
    'quorum: 2',
    'separate: true',
    'timeout: 15m',
    'on_timeout: allow',
    'require_reason: on_reject',
    'valid_for: "10m"',
    'only_in: [inbox, slack]',
    'severity: critical',
  ];
  expect(policyOf(rule(asks, ...fields)).rules[0]).toMatchObject({
    quorum: 2,
    separate: true,
    timeoutMs: 900_000,
    onTimeout: 'allow',
    requireReason: 'on_reject',
    validForMs: 600_000,
    onlyIn: ['inbox', 'slack'],
    severity: 'critical',
  });
});

test('a permission that the policy gives alone has a time too', () => {
  expect(policyOf(rule('decide: allow', 'valid_for: 1d')).rules[0]).toMatchObject({ validForMs: 86_400_000 });
});

describe('is refused, with what is expected', () => {
  test.each([
    ['quorum: 0', 'quorum: expected a whole number from 1 to 20, found the number 0'],
    ['quorum: 21', 'quorum: expected a whole number from 1 to 20, found the number 21'],
    ['quorum: 1.5', 'quorum: expected a whole number from 1 to 20, found the number 1.5'],
    ['quorum: "2"', 'quorum: expected a whole number from 1 to 20, found the text "2"'],
    ['separate: yes', 'separate: expected true or false, found the text "yes"'],
    ['timeout: 15', 'timeout: expected a span from "1s" to "5d", as "15m", found the number 15'],
    ['timeout: 6d', 'timeout: expected a span from "1s" to "5d", as "15m", found the text "6d"'],
    ['timeout: 0s', 'timeout: expected a span'],
    ['timeout: 999999999d', 'timeout: expected a span'],
    ['timeout: [15m]', 'timeout: expected a span from "1s" to "5d", as "15m", found a list'],
    ['on_timeout: allow', 'on_timeout: what is allowed when nobody decides needs a timeout of its own'],
    ['on_timeout: maybe', 'on_timeout: expected deny or allow, found the text "maybe"'],
    ['require_reason: true', 'require_reason: expected never, on_reject or always, found true'],
    ['only_in: inbox', 'only_in: expected a list, as [inbox], found the text "inbox"'],
    ['only_in: []', 'only_in: expected at least 1, as [inbox], found none'],
    ['only_in: [teams]', 'only_in: expected api, inbox, slack or email, found the text "teams"'],
    ['only_in: [api, api]', 'only_in: "api" is listed twice'],
    ['severity: loud', 'severity: expected info, warning, error or critical, found the text "loud"'],
    ['valid_for: 2d', 'valid_for: expected a span from "1s" to "1d"'],
  ])('%s', (field, expected) => expect(problemsOf(rule(asks, field))).toContain(expected));

  test.each([
    [
      'decide: allow',
      'quorum: 2',
      'line 5, column 5: quorum: only a rule that decides require_approval has it',
    ],
    [
      'decide: deny',
      'timeout: 5m',
      'timeout: only a rule that decides require_approval has it, this one decides deny',
    ],
    ['decide: deny', 'valid_for: 5m', 'valid_for: only a rule that decides require_approval or allow has it'],
    ['decide: allow', 'on_timeout: allow', 'on_timeout: only a rule that decides require_approval has it'],
  ])('%s with %s', (decide, field, expected) => {
    expect(problemsOf(rule(decide, field))).toContain(expected);
  });
});
