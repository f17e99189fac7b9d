import { describe, expect, test } from 'vitest';
import { problemsOf, rule } from './test-reading.ts';

const refusal = (...fields: string[]): string => problemsOf(rule('decide: require_approval', ...fields));

describe('refuses', () => {
  test.each([
    ['a text', '"#a"', 'column 16: approvers: expected a list, as ["#approvals"], found the text "#a"'],
    [
      'an empty list',
      '[]',
      'column 16: approvers: the list is empty; leave approvers out to let any person with the role approver decide',
    ],
    [
      'too many',
      `[${Array.from({ length: 51 }, (_, n) => `role:r${n}`)}]`,
      'column 16: approvers: at most 50 approvers, found 51',
    ],
    ['one twice', '["user:a@b.c", "user:A@b.c"]', 'column 31: approvers: "user:a@b.c" is listed twice'],
  ])('%s', (_, approvers, expected) => {
    expect(refusal(`approvers: ${approvers}`)).toBe(`line 5, ${expected}`);
  });

  test('a channel that YAML takes for a comment', () => {
    expect(refusal('approvers:', '  - #approvals')).toBe(
      'line 6, column 9: approvers: expected "#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE", found nothing: a channel needs quotes, as "#approvals"',
    );
  });

  const forms = '"#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE"';
  const role = 'a role in lower-case letters, digits and hyphens, as "role:manager"';
  const service = 'a service in letters, digits, hyphens and _, as "pagerduty:airline"';
  test.each([
    ['approvals', forms],
    ['group:x', forms],
    ['dana@example.com', '"user:dana@example.com" for a person'],
    ['#', 'a channel, as "#approvals"'],
    ['#two words', 'a channel, as "#approvals"'],
    ['role:', role],
    ['role:Manager', role],
    ['role:a b', role],
    ['user:dana', 'an email address, as "user:dana@example.com"'],
    ['pagerduty:', service],
    ['pagerduty:a b', service],
    ['pagerduty:a.b', service],
  ])('the approver "%s"', (written, expected) => {
    expect(refusal(`approvers: ["${written}"]`)).toBe(
      `line 5, column 17: approvers: expected ${expected}, found "${written}"`,
    );
  });

  test('a service of more than 64 letters', () => {
    expect(refusal(`approvers: ["pagerduty:${'x'.repeat(64)}"]`)).toBe('accepted');
    expect(refusal(`approvers: ["pagerduty:${'x'.repeat(65)}"]`)).toContain(`expected ${service}`);
  });
});
