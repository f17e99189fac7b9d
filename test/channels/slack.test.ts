import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { personWith } from '../support.ts';
import { ask, cardOf, startWithSlack, textOf } from './slack-support.ts';

releaseAfterEach();

test('an approval stands in its channel, is decided by a click, and has no live button then', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create', { reasoning: 'The parcel was lost.' });
  const card = await cardOf(slack, id);
  expect(textOf(card)).toContain('The parcel was lost.');
  const waiting = placet.agent.answer(id, '?wait=20');
  await slack.click({ user: 'U0ANN', channel: card.channel, ts: card.ts, actionId: 'approve' });
  expect((await waiting).body).toMatchObject({
    decision: 'allowed',
    decided_by: ['person:ann@example.com'],
  });
  await eventually(async () => {
    const after = await cardOf(slack, id);
    expect(textOf(after)).toContain('Allowed by ann@example.com');
    expect(textOf(after)).not.toContain('"button"');
  });
  expect(slack.messages('#approvals')).toHaveLength(1);
});

test('a quorum is counted on the card, and who clicked is told', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.two');
  const { channel, ts } = await cardOf(slack, id);
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  await eventually(async () => expect(textOf(await cardOf(slack, id))).toContain('1 of 2: #approvals'));
  expect(slack.ephemerals.at(-1)).toMatchObject({ user: 'U0ANN', text: 'Your vote is counted: approve.' });
  await slack.click({ user: 'U0BEN', channel, ts, actionId: 'reject' });
  expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'denied' });
});

test('whoever is not linked, or of another workspace, is told so, and nothing is counted', async () => {
  const { slack, placet } = await startWithSlack({
    users: [
      { id: 'U0ANN', email: 'ann@example.com', name: 'ann' },
      { id: 'U0BEN', email: 'ben@example.com', name: 'ben' },
    ],
  });
  const id = await ask(placet, 'refund.create');
  const { channel, ts } = await cardOf(slack, id);
  const { body } = await placet.admin.get('/v1/people');
  const ann = body.people.find((one: { email: string }) => one.email === 'ann@example.com');
  await placet.admin.patch(`/v1/people/${ann.id}`, { slack: [] });
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  await slack.click({ user: 'U0BEN', channel, ts, actionId: 'approve', teamId: 'T0OTHER' });
  expect(slack.ephemerals.map(({ text }) => text)).toEqual([
    expect.stringContaining('does not know who you are'),
    expect.stringContaining('does not know who you are'),
  ]);
  expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'pending', approval: { votes: 0 } });
});

test('whoever is disabled clicks in vain, and one user of Slack is one person', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create');
  const { channel, ts } = await cardOf(slack, id);
  const { people } = (await placet.admin.get('/v1/people')).body;
  const [ann, ben] = ['ann', 'ben'].map((name) =>
    people.find((one: { email: string }) => one.email === `${name}@example.com`),
  );
  await placet.admin.patch(`/v1/people/${ann.id}`, { disabled: true });
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  expect(slack.ephemerals.at(-1)?.text).toContain('does not know who you are');
  expect(await placet.admin.patch(`/v1/people/${ben.id}`, { slack: ann.slack })).toMatchObject({
    status: 409,
    body: { error: 'ALREADY_EXISTS', message: expect.stringContaining('ann@example.com') },
  });
  const wrong = await placet.admin.patch(`/v1/people/${ben.id}`, { slack: [{ team: 'acme', user: 'ben' }] });
  expect(wrong.status).toBe(422);
});

test('a question can be rejected in Slack, and is answered elsewhere', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create', { answer_schema: { type: 'string' } });
  const card = await cardOf(slack, id);
  expect(textOf(card)).toContain('"action_id":"reject"');
  expect(textOf(card)).not.toContain('"action_id":"approve"');
});

test('what people choose among are the buttons', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'deploy', { accepts: ['choices'] });
  const { channel, ts } = await cardOf(slack, id);
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'choice:blue' });
  expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'allowed', choice: 'blue' });
});

test.each([
  ['another secret', { signingSecret: 'f'.repeat(32) }],
  ['no signature', { signature: null }],
  ['a timestamp of six minutes ago', { timestampOffset: -360 }],
  ['a timestamp of the future', { timestampOffset: 360 }],
  ['a timestamp that is no number', { timestamp: '1e9' }],
])('a click with %s is refused', async (_, forgery) => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create');
  const { channel, ts } = await cardOf(slack, id);
  const answer = await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve', ...forgery });
  expect(answer.status).toBe(401);
  expect((await placet.agent.answer(id)).body).toMatchObject({ decision: 'pending', approval: { votes: 0 } });
});

test('clicks that come twice, or in another order than they were made, count once', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.two');
  const { channel, ts } = await cardOf(slack, id);
  const approve = await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
  for (let i = 0; i < 3; i++) expect(await approve.again()).toMatchObject({ status: 200 });
  const { votes, demands } = (await placet.admin.get(`/v1/approvals/${id}`)).body;
  expect(votes).toHaveLength(1);
  expect(demands[0].met).toBe(1);

  await slack.click({ user: 'U0BEN', channel, ts, actionId: 'approve' });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
  // What Ann clicked before comes after the end.
  await approve.again();
  await slack.click({ user: 'U0ANN', channel, ts, actionId: 'reject', stale: true });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
  expect((await placet.admin.get(`/v1/approvals/${id}`)).body.votes).toHaveLength(2);
});

test('who is of another workspace is not who has the same id here, in a click or in a message', async () => {
  const { slack, placet } = await startWithSlack();
  const id = await ask(placet, 'refund.create');
  await cardOf(slack, id);
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${id}`)).body;
  await slack.deliver({
    type: 'block_actions',
    user: { id: 'U0ANN', team_id: 'T0STRANGER' },
    team: { id: slack.teamId },
    trigger_id: 'x',
    actions: [{ action_id: 'approve', value: JSON.stringify({ action_id: id, payload_digest }) }],
  });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');

  const eve = await personWith(placet, 'eve@example.com', ['approver']);
  await placet.admin.patch(`/v1/people/${eve.id}`, { slack: [{ team: 'T0OTHER', user: 'U0BEN' }] });
  const named = await ask(placet, 'other', { approvers: ['user:eve@example.com'] });
  await eventually(async () => {
    const { records } = (await placet.admin.get(`/v1/audit?action=${named}&type=notification.failed`)).body;
    expect(records.map(({ body }: { body: string }) => JSON.parse(body).data.error)).toEqual([
      'user:eve@example.com is linked in another workspace of Slack than the app is in',
    ]);
  });
});
