import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: cancel_flight
    decide: require_approval
    approvers: ["#approvals"]
  - action: drop_database
    decide: deny
default: allow
`;

test('an action is asked for, held, voted on, answered and recorded', async () => {
  const { agent, admin } = await startTestPlacet({ policy });

  const asked = await agent.check({ action_name: 'cancel_flight', payload: { flight_number: 'PA441' } });
  expect(asked.body).toMatchObject({ decision: 'pending', approval: { approvers: ['#approvals'] } });
  const id = asked.body.action_id;

  const waiting = agent.answer(id, '?wait=30');
  const voted = await admin.vote(id, { vote: 'approve', comment: 'Go ahead.' });
  expect(voted).toMatchObject({ status: 200, body: { decision: 'allowed', reason: 'Go ahead.' } });
  expect((await waiting).body).toMatchObject({
    decision: 'allowed',
    reason: 'Go ahead.',
    decided_by: ['person:admin@example.com'],
  });

  const types = await eventually(async () => {
    const { body } = await admin.get(`/v1/audit?action=${id}`);
    const found = body.records.map((record: { type: string }) => record.type);
    expect(found).toContain('approval.closed');
    return found;
  });
  expect(types).toEqual([
    'action.requested',
    'approval.needed',
    'approval.voted',
    'action.decided',
    'approval.closed',
  ]);
});
