import { eventually } from '@placet/testing';
import { beforeAll, expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});

test('a case is one timeline of what was asked, decided, run and logged', async () => {
  const { agent } = shared();
  const of = { case: 'trip 7' };
  await agent.check({ action_name: 'read.mail', ...of });
  const id = await asked(shared(), 'pay.two', { ...of, reasoning: 'It is due.' });
  await cast.fay.vote(id, { vote: 'approve', comment: 'fine' });
  await cast.fay.post(`/v1/approvals/${id}/comments`, { comment: 'Please look.' });
  await cast.finn.vote(id, { vote: 'approve' });
  await agent.post(`/v1/check/${id}/execution`, { status: 'success' });
  await agent.post('/v1/actions/log', { action_name: 'note', summary: 'wrote a note', ...of });
  await eventually(async () => {
    const { status, body } = await cast.fay.get('/v1/cases/trip%207');
    expect(status).toBe(200);
    expect(body.next).toBeNull();
    expect(body.timeline.map(({ type, by, what }: Record<string, string>) => [type, by, what])).toEqual([
      ['action.requested', 'agent:my-agent', 'asked'],
      ['action.decided', 'policy', expect.stringMatching(/^allowed: /)],
      ['action.requested', 'agent:my-agent', 'asked: It is due.'],
      ['approval.needed', 'policy', expect.stringMatching(/^held: /)],
      ['approval.voted', 'fay@example.com', 'approved: fine'],
      ['approval.commented', 'fay@example.com', 'Please look.'],
      ['approval.voted', 'finn@example.com', 'approved'],
      ['action.decided', 'person:fay@example.com, person:finn@example.com', 'allowed: fine'],
      ['action.executed', 'agent:my-agent', 'ran it: success'],
      ['action.logged', 'agent:my-agent', 'logged: success: wrote a note'],
    ]);
  });
});

test('a case concerns who was asked about any of it, administrators and auditors', async () => {
  await asked(shared(), 'pay.two', { case: 'private' });
  const { admin } = shared();
  await eventually(async () => expect((await admin.get('/v1/cases/private')).status).toBe(200));
  expect((await cast.fay.get('/v1/cases/private')).status).toBe(200);
  expect((await cast.mia.get('/v1/cases/private')).status).toBe(404);
  expect((await admin.get('/v1/cases/none')).status).toBe(404);
  expect((await admin.get('/v1/cases/private?cursor=x')).status).toBe(422);
});

test('an agent that names somebody opens nothing to them of what others did in a case', async () => {
  const { agent } = shared();
  await asked(shared(), 'pay.two', { case: 'closed', reasoning: 'between us' });
  const reply = await agent.check({
    action_name: 'read.mail',
    case: 'closed',
    approvers: ['user:out@example.com'],
  });
  const { action_id } = reply.body;
  const { admin } = shared();
  await eventually(async () => expect((await admin.get('/v1/cases/closed')).body.timeline).toHaveLength(4));
  expect((await cast.out.get('/v1/cases/closed')).status).toBe(404);
  const rejected = await asked(shared(), 'ask.first', { case: 'closed' });
  await cast.mia.vote(rejected, { vote: 'reject', comment: 'Never.' });
  await eventually(async () => {
    const { earlier } = (await admin.get(`/v1/approvals/${action_id}`)).body;
    expect(earlier).toMatchObject([{ action_id: rejected }]);
  });
  const { status, body: seen } = await cast.out.get(`/v1/approvals/${action_id}`);
  expect(status).toBe(200);
  expect(seen).not.toHaveProperty('earlier');
});

test('a case of very many and very long things is read by pages', async () => {
  const { agent, admin } = shared();
  const of = { case: 'long', reasoning: '語'.repeat(8000) };
  for (let n = 0; n < 120; n++) await agent.check({ action_name: 'read.mail', payload: { n }, ...of });
  const first = await eventually(async () => {
    const { status, body } = await admin.get('/v1/cases/long');
    expect(status).toBe(200);
    expect(body.timeline).toHaveLength(200);
    return body;
  });
  const second = (await admin.get(`/v1/cases/long?cursor=${first.next}`)).body;
  expect(second.timeline).toHaveLength(40);
  expect(second.next).toBeNull();
});

test('the latest decision on a case is among the earlier ones, however much was logged since', async () => {
  const { agent } = shared();
  const of = { case: 'noisy' };
  const refused = await asked(shared(), 'ask.first', of);
  await cast.mia.vote(refused, { vote: 'reject', comment: 'Never.' });
  for (let n = 0; n < 205; n++) await agent.post('/v1/actions/log', { action_name: 'note', ...of });
  const id = await asked(shared(), 'pay.two', of);
  await eventually(async () => {
    const { earlier } = (await cast.fay.get(`/v1/approvals/${id}`)).body;
    expect(earlier.map((one: { action_id: string }) => one.action_id)).toContain(refused);
  });
});

test('whoever is asked sees the earlier decisions on the same case', async () => {
  const { agent } = shared();
  const of = { case: 'earlier' };
  const { body } = await agent.check({ action_name: 'read.mail', ...of });
  const id = await asked(shared(), 'pay.two', of);
  await eventually(async () =>
    expect((await cast.fay.get(`/v1/approvals/${id}`)).body.earlier[0]).toMatchObject({
      action_id: body.action_id,
      action_name: 'read.mail',
      decision: 'allowed',
      decided_by: ['policy'],
    }),
  );
});
