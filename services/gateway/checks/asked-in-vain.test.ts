import { type Approver, type Demand, makeEvent, opened, type Standing } from '@placet/events';
import { describe, expect, test } from 'vitest';
import { askedInVain } from './asked-in-vain.ts';

const person = (name: string, ...roles: string[]) => ({
  id: name,
  email: `${name}@example.com`,
  roles,
  disabled: false,
});
const manager: Approver = { kind: 'role', role: 'manager' };
const security: Approver = { kind: 'role', role: 'security' };
const asks = (demand: Partial<Demand>): Demand => ({
  scope: null,
  rule: null,
  approvers: [manager],
  quorum: 1,
  ...demand,
});
const owner = 'ann@example.com';
const needed = (demands: Demand[], more: object = {}): Standing => {
  const now = new Date();
  const data = {
    action_id: `act_${'0'.repeat(32)}`,
    agent: 'support',
    action_name: 'pay',
    request_event: 'e1',
    revision: 1,
    payload: {},
    payload_digest: `sha256:${'0'.repeat(64)}`,
    owner,
    reason: 'because',
    rule: null,
    scope: null,
    policies: [],
    demands,
    requested_at: now.toISOString(),
    deadline: now.toISOString(),
    on_timeout: 'deny' as const,
    valid_for_ms: 1000,
    ...more,
  };
  return opened(makeEvent('approval.needed', { service: 'policy', id: 'e2', now, data }));
};
const both = asks({ approvers: [manager, security], ways: [[['role:manager'], ['role:security']]] });

describe('nobody is asked in vain', () => {
  test.each([
    ['by one of whom there is one', asks({}), [person('max', 'manager')]],
    [
      'by two of whom there are two',
      asks({ quorum: 2 }),
      [person('max', 'manager'), person('mia', 'manager')],
    ],
    ['by a group that two can meet', both, [person('max', 'manager'), person('sam', 'security')]],
    [
      'by a channel, where approvers vote',
      asks({ approvers: [{ kind: 'channel', channel: 'ops' }] }),
      [person('app', 'approver')],
    ],
    ['by nobody in particular', asks({ approvers: [] }), [person('app', 'approver')]],
    ['by the owner, where that is not kept apart', asks({}), [person('ann', 'manager')]],
  ])('%s', (_, demand, people) => {
    expect(askedInVain(needed([demand]), people)).toEqual([]);
  });
});

describe('those are asked in vain', () => {
  const max = person('max', 'manager');
  test.each([
    ['who are not there', asks({}), [person('sam', 'security')], ['role:manager']],
    ['who are disabled', asks({}), [{ ...max, disabled: true }], ['role:manager']],
    ['who are too few', asks({ quorum: 2 }), [max], ['role:manager']],
    [
      'who would have to take two places',
      both,
      [person('two', 'manager', 'security')],
      ['role:manager', 'role:security'],
    ],
    [
      'who own what is asked for, where that is kept apart',
      asks({ separate: true }),
      [person('ann', 'manager')],
      ['role:manager'],
    ],
    [
      'in a channel where nobody votes',
      asks({ approvers: [{ kind: 'channel', channel: 'ops' }] }),
      [max],
      ['#ops'],
    ],
  ])('%s', (_, demand, people, vain) => {
    expect(askedInVain(needed([demand]), people)).toEqual(vain);
  });

  test('of whom an escalation finds nobody', () => {
    const at = '2026-01-01T00:00:00.000Z';
    const steps = [
      { kind: 'remind' as const, at, share: 50 },
      { kind: 'escalate' as const, at, demand: 0, approvers: [security, manager] },
    ];
    expect(askedInVain(needed([asks({})], { steps }), [max])).toEqual(['role:security']);
  });
});
