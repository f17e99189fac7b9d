import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { agentNamed, decided, personWith, put, rawBroker, typesOf } from './support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: pay.*
    decide: require_approval
    approvers: ["role:finance"]
    quorum: 2
    separate: true
    require_reason: on_reject
    timeout: 10m
    valid_for: 1m
  - action: remind.*
    decide: require_approval
    timeout: 1s
    on_timeout: allow
  - action: read.*
    decide: allow
    valid_for: 5s
`;

test('a quorum of people who are not the owner, with a reason for a rejection', async () => {
  const started = await startTestPlacet();
  const { admin, url } = started;
  await put(started, 'default', policy);
  const me = (await admin.get('/v1/people/me')).body;
  await admin.call('PATCH', `/v1/people/${me.id}`, { roles: ['admin', 'finance'] });
  const agent = await agentNamed(started, 'payer');
  const [ann, bob] = [
    await personWith(started, 'ann@example.com', ['finance']),
    await personWith(started, 'bob@example.com', ['finance']),
  ];
  expect(url).toBeTruthy();
  const { body: asked } = await agent.check({ action_name: 'pay.now', payload: { amount: 5 } });
  const id = asked.action_id;
  const minutes = (Date.parse(asked.approval.deadline) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(8);
  expect(minutes).toBeLessThanOrEqual(10);

  // Who made the agent is its owner.
  expect(await admin.vote(id, { vote: 'approve' })).toMatchObject({
    status: 403,
    body: { error: 'NOT_ELIGIBLE' },
  });
  expect(await ann.vote(id, { vote: 'reject' })).toMatchObject({
    status: 422,
    body: { error: 'REASON_REQUIRED' },
  });
  expect((await ann.vote(id, { vote: 'approve' })).body.decision).toBe('pending');
  expect((await admin.get(`/v1/approvals/${id}`)).body).toMatchObject({
    demands: [{ quorum: 2, met: 1, separate: true }],
    require_reason: 'on_reject',
    on_timeout: 'deny',
  });
  expect((await bob.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  const { body: answer } = await agent.answer(id);
  expect(answer).toMatchObject({
    decision: 'allowed',
    decided_by: ['person:ann@example.com', 'person:bob@example.com'],
  });
  expect(Date.parse(answer.valid_until) - Date.parse(answer.decided_at)).toBe(60_000);
});

test('what nobody decides is allowed where the policy has written it out, and told as such', async () => {
  const started = await startTestPlacet();
  await put(started, 'default', policy);
  const { agent, placet } = started;
  const { body: asked } = await agent.check({ action_name: 'remind.all', payload: {} });
  await eventually(async () => {
    expect((await agent.answer(asked.action_id)).body).toMatchObject({
      decision: 'allowed',
      decided_by: ['timeout'],
      reason: expect.stringContaining('The policy allows it then.'),
    });
  });
  const raw = await rawBroker(placet);
  await eventually(async () => expect(await typesOf(raw, asked.action_id)).toContain('approval.closed'));
});

test('a permission by the policy alone lasts as long as its rule says', async () => {
  const started = await startTestPlacet();
  await put(started, 'default', policy);
  const { body } = await started.agent.check({ action_name: 'read.mail', payload: {} });
  expect(Date.parse(body.valid_until) - Date.parse(body.decided_at)).toBe(5000);
});

test('who shortens the time of people is not allowed by it', async () => {
  const started = await startTestPlacet();
  const { agent, admin } = started;
  const slow =
    'version: 1\nrules:\n  - { action: pay, decide: require_approval, timeout: 4h, on_timeout: allow }\n';
  await put(started, 'default', slow);
  await put(started, 'named:quick', slow.replace('4h', '1s'));
  const ask = async (more: object) => (await agent.check({ action_name: 'pay', ...more }, '?wait=0')).body;
  const short = await ask({ timeout: '1s' });
  expect((await admin.get(`/v1/approvals/${short.action_id}`)).body.on_timeout).toBe('deny');
  await decided(agent, short.action_id, 'denied');
  for (const more of [{}, { policy: 'quick' }]) {
    const { body } = await admin.get(`/v1/approvals/${(await ask(more)).action_id}`);
    expect(body.on_timeout).toBe('allow');
    expect(Date.parse(body.deadline) - Date.parse(body.requested_at)).toBeGreaterThan(3.9 * 3_600_000);
  }
});
