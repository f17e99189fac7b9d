import { expect, test } from 'vitest';
import { furtherReason, votedReason } from './deciders.ts';

const deciders = ['person:ann@example.com', 'person:ben@example.com'];

test('where people gave no reason it is who they are', () => {
  expect(votedReason('allowed', deciders)).toBe('Approved by ann@example.com, ben@example.com.');
  expect(votedReason('denied', deciders)).toBe('Rejected by ann@example.com, ben@example.com.');
});

test.each(['allowed', 'denied'] as const)(
  'beside who decided nothing is said twice where it is %s',
  (decision) => {
    expect(furtherReason({ decision, deciders, reason: votedReason(decision, deciders) })).toBeNull();
    expect(furtherReason({ decision, deciders, reason: 'The customer is right.' })).toBe(
      'The customer is right.',
    );
  },
);

test('a reason that names somebody else stands', () => {
  const reason = votedReason('allowed', deciders.slice(1));
  expect(furtherReason({ decision: 'allowed', deciders, reason })).toBe(reason);
});
