import { expect, test } from 'vitest';
import type { FullResult } from './backtest-lines.ts';
import { formatBacktest, formatProgress } from './backtest-table.ts';

const said = (decide: 'allow' | 'require_approval', reason: string) => ({
  decide,
  rule: null,
  scope: 'default',
  reason,
});
const result: FullResult = {
  scope: 'default',
  requests: 12_345,
  concerned: 12_000,
  from: '2026-03-01T00:00:00.000Z',
  until: '2026-03-31T00:00:00.000Z',
  unreadable: 2,
  before: { allow: 10_000, deny: 345, require_approval: 2000 },
  after: { allow: 11_500, deny: 345, require_approval: 500 },
  changed: 1500,
  interruptions: -1500,
  changes: [
    {
      from: 'require_approval',
      to: 'allow',
      count: 1500,
      actions: [{ action: 'refund\u202E.create', count: 1500 }],
      examples: [
        {
          id: 'act_1',
          action: 'refund\u001b[2J',
          agent: 'support',
          at: '2026-03-02T10:00:00.000Z',
          before: said(
            'require_approval',
            'no rule of the policy default matches, and its default asks people',
          ),
          after: said('allow', 'matched rule "small"'),
        },
      ],
    },
  ],
  rules: [{ scope: 'default', rule: 'small', count: 1500 }],
  idle: [
    { rule: 'never met', line: 4, set: null },
    { rule: 'embargo', line: 2, set: 'money' },
  ],
};
test('a result says what would change, what of it people would notice, and which rules would do nothing', () => {
  expect(
    formatBacktest(result),
  ).toBe(`12,345 requests with another policy for default, from 2026-03-01T00:00:00.000Z until 2026-03-31T00:00:00.000Z
It has a part in 12,000 of them.
2 were left out: Placet did not write them.

                     now    then  change
allow             10,000  11,500  +1,500
require_approval   2,000     500  -1,500
deny                 345     345       0

People would be asked 1,500 times less (75 % of 2,000).

require_approval -> allow: 1,500 (refund.create 1,500); as
  act_1  refund[2J of support, 2026-03-02T10:00:00.000Z
    now   no rule of the policy default matches, and its default asks people
    then  matched rule "small"

Rules that would have decided nothing:
  line 4: never met
  set money, line 2: embargo
`);
});

test.each([
  [
    { interruptions: 3, before: { allow: 0, deny: 0, require_approval: 0 } },
    'People would be asked 3 times more.',
  ],
  [{ interruptions: 0 }, 'People would be asked as often as now.'],
  [{ changed: 0, interruptions: 0, changes: [] }, 'No verdict would change.'],
])('%j', (more, words) => {
  expect(formatBacktest({ ...result, ...more })).toContain(`\n\n${words}\n`);
});

test('how far it is stays one line of one length', () => {
  const shares = [0, 0.514, 1, 1.5];
  expect(formatProgress({ requests: 500, share: 0.5 })).toBe(
    '[###############...............]  50 %  500 requests ',
  );
  const bars = shares.map((share) => formatProgress({ requests: 500, share }).indexOf(']'));
  expect(new Set(bars).size).toBe(1);
});
