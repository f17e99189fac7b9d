import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { webhookReceiver } from '../support.ts';
import { asked, askingPolicy, castOf } from './asking.ts';

releaseAfterEach();

test('each step of an approval is announced once, to whomever it concerns then', async () => {
  const { received, env } = await webhookReceiver();
  const placet = await startTestPlacet({ policy: askingPolicy, env });
  const { fay } = await castOf(placet);
  const id = await asked(placet, 'pay.soon');
  const to = ['user:out@example.com'];
  await fay.post(`/v1/approvals/${id}/reassignments`, { to, comment: 'I am away.' });
  await eventually(() => expect(received.at(-1)?.body.type).toBe('approval.closed'));
  expect(received.map(({ body: { type, data } }) => [type, data])).toMatchObject([
    ['approval.needed', { action_id: id, demands: [{ approvers: [{ kind: 'role', role: 'finance' }] }] }],
    ['approval.reassigned', { by: { email: 'fay@example.com' }, approvers: [{ email: 'out@example.com' }] }],
    ['approval.reminded', { audience: ['role:finance', 'user:out@example.com'] }],
    ['approval.escalated', { approvers: [{ kind: 'role', role: 'manager' }] }],
    ['approval.closed', { decision: 'denied', cause: 'timeout' }],
  ]);
});
