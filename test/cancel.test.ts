import { createClient, eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { decided, held, personWith, put, wholeRecord } from './support.ts';

releaseAfterEach();

const two = 'version: 1\nrules:\n  - { action: refund.*, decide: require_approval, quorum: 2 }\n';
const reason = 'The agent is being replaced.';

test('an administrator ends what waits, and the agent is told by whom and why', async () => {
  const started = await startTestPlacet();
  const { admin, agent } = started;
  await put(started, 'default', two);
  const id = await held(started);
  const cancelled = await admin.post(`/v1/approvals/${id}/cancel`, { reason });
  const words = `Cancelled by ${(await admin.get('/v1/people')).body.people[0].email}: ${reason}`;
  expect(cancelled).toMatchObject({
    status: 200,
    body: { action_id: id, decision: 'denied', reason: words },
  });
  await decided(agent, id, 'denied');
  expect((await agent.answer(id)).body.reason).toBe(words);
  expect((await admin.post(`/v1/approvals/${id}/cancel`, { reason })).body).toEqual(cancelled.body);
  await eventually(async () => {
    const types = (await wholeRecord(started, `&action=${id}`)).map(({ type }) => type);
    expect(types.filter((type) => type === 'action.decided')).toHaveLength(1);
  });
});

test('it is refused to others, without a reason, and of what is decided or not there', async () => {
  const started = await startTestPlacet();
  const { admin, agent, url } = started;
  await put(started, 'default', two.replace('quorum: 2', 'quorum: 1'));
  const id = await held(started);
  const path = `/v1/approvals/${id}/cancel`;
  const approver = createClient(url, (await personWith(started, 'ann@example.com', ['approver'])).token);
  expect(await approver.post(path, { reason })).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
  expect((await agent.post(path, { reason })).status).toBe(403);
  for (const body of [{}, { reason: ' ' }, { reason, decision: 'allowed' }])
    expect((await admin.post(path, body)).status).toBe(422);
  expect((await admin.post(`/v1/approvals/act_${'0'.repeat(32)}/cancel`, { reason })).status).toBe(404);
  await approver.vote(id, { vote: 'approve' });
  expect(await admin.post(path, { reason })).toMatchObject({
    status: 409,
    body: { error: 'ALREADY_DECIDED', details: { decision: 'allowed' } },
  });
});

test('an agent that waits is told how far it is', async () => {
  const started = await startTestPlacet();
  const { agent, url } = started;
  await put(started, 'default', two);
  const id = await held(started);
  const approvers = ['role:approver'];
  expect((await agent.answer(id)).body.approval.demands).toEqual([{ approvers, quorum: 2, met: 0 }]);
  const ann = createClient(url, (await personWith(started, 'ann@example.com', ['approver'])).token);
  await ann.vote(id, { vote: 'approve' });
  await ann.vote(id, { vote: 'approve' });
  await eventually(async () =>
    expect((await agent.answer(id)).body.approval.demands).toEqual([{ approvers, quorum: 2, met: 1 }]),
  );
});
