import { digestOf } from '@placet/proof';
import { eventually } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { agentNamed, messagesIn, sharedPlacet } from '../support.ts';
import { asked, askingPolicy, atRevision, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});
const payload = { amount: 500, note: 'for the trip', iban: 'DE89', name: 'Ann Other' };
const large = { payload, accepts: ['edits'] };
const edit = (person: Cast['mia'], id: string, changes: object, payload_digest = digestOf(payload)) =>
  person.post(`/v1/approvals/${id}/edits`, { changes, payload_digest });
const approve = { vote: 'approve' };
/** A vote on the payload as it is. */
async function approveAsItIs(person: Cast['mia'], id: string) {
  const { payload_digest } = (await shared().admin.get(`/v1/approvals/${id}`)).body;
  return person.vote(id, { ...approve, payload_digest });
}

describe('a change of the payload', () => {
  test('is judged again, voids votes, is on the record, and is what the agent is told to run', async () => {
    const { agent, raw } = shared();
    const id = await asked(shared(), 'pay.large', large);
    const made = await edit(cast.mia, id, { 'payload.amount': 200 });
    const changed = { ...payload, amount: 200 };
    expect(made).toMatchObject({
      status: 200,
      body: { revision: 2, payload_digest: digestOf(changed), decision: 'pending' },
    });
    const view = await atRevision(shared(), id, 2);
    expect(view).toMatchObject({
      status: 'pending',
      payload: { ...changed, iban: '[redacted]', name: '[redacted]' },
      edits: [{ by: 'mia@example.com', changes: [{ path: 'payload.amount', from: 500, to: 200 }] }],
    });
    const stale = await cast.max.vote(id, { ...approve, payload_digest: digestOf(payload) });
    expect(stale).toMatchObject({
      status: 409,
      body: { error: 'STALE_PAYLOAD', details: { payload_digest: digestOf(changed), revision: 2 } },
    });
    expect((await agent.answer(id)).body).toMatchObject({ decision: 'pending', approval: { revision: 2 } });
    expect((await agent.answer(id)).body.payload).toBeUndefined();
    await cast.max.vote(id, { ...approve, payload_digest: digestOf(changed) });
    const answer = (await agent.answer(id)).body;
    expect(answer).toMatchObject({
      decision: 'allowed',
      payload: changed,
      payload_digest: digestOf(changed),
      decided_by: ['person:max@example.com'],
    });
    const types = (await messagesIn(raw))
      .filter(({ subject }) => subject.includes(`.act.`) && subject.includes(id))
      .map(({ subject }) => subject.split('.').slice(4).join('.'));
    expect(types).toEqual([
      'action.requested',
      'approval.needed.1',
      'approval.edited.1',
      'approval.needed.2',
      'approval.voted.1',
      'action.decided',
    ]);
  });

  test('voids the votes that were cast before it', async () => {
    const id = await asked(shared(), 'pay.large', { ...large, approvers: ['role:finance'] });
    await cast.fay.vote(id, approve);
    await edit(cast.mia, id, { 'payload.amount': 300 });
    await atRevision(shared(), id, 2);
    expect((await approveAsItIs(cast.max, id)).body.decision).toBe('pending');
    expect((await approveAsItIs(cast.finn, id)).body.decision).toBe('allowed');
  });

  test('by somebody who then votes on it does not count where the rule keeps them apart', async () => {
    const id = await asked(shared(), 'pay.large', large);
    await edit(cast.mia, id, { 'payload.amount': 201 });
    await atRevision(shared(), id, 2);
    expect(await approveAsItIs(cast.mia, id)).toMatchObject({
      status: 403,
      body: { error: 'NOT_ELIGIBLE', message: expect.stringContaining('You have changed the payload') },
    });
    expect((await approveAsItIs(cast.max, id)).body.decision).toBe('allowed');
  });

  test('into what the policy would allow still needs who was asked before', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.large', large);
    await edit(cast.mia, id, { 'payload.amount': 50 });
    await atRevision(shared(), id, 2);
    expect((await agent.answer(id)).body).toMatchObject({ decision: 'pending' });
    expect((await approveAsItIs(cast.max, id)).body.decision).toBe('allowed');
  });

  test('into what the policy denies is denied, and says so', async () => {
    const { agent, admin } = shared();
    const id = await asked(shared(), 'pay.large', large);
    await edit(cast.mia, id, { 'payload.amount': -1 });
    await eventually(async () =>
      expect((await agent.answer(id)).body).toMatchObject({
        decision: 'denied',
        reason: 'The policy denies what mia@example.com changed it to: Nothing is paid for nothing.',
      }),
    );
    await eventually(async () =>
      expect((await admin.get(`/v1/audit?action=${id}&type=approval.closed`)).body.records).toHaveLength(1),
    );
  });

  test('a vote that does not say what was seen is refused, and not kept until the policy has judged', async () => {
    const id = await asked(shared(), 'pay.large', large);
    await edit(cast.mia, id, { 'payload.amount': 205 });
    const blind = await cast.max.vote(id, approve);
    expect(blind.status).toBe(409);
    expect(['BEING_JUDGED', 'STALE_PAYLOAD']).toContain(blind.body.error);
    await atRevision(shared(), id, 2);
    expect(await cast.max.vote(id, approve)).toMatchObject({ status: 409, body: { error: 'STALE_PAYLOAD' } });
  });

  test('a vote at once waits for the policy’s word', async () => {
    const id = await asked(shared(), 'pay.large', large);
    const { payload_digest } = (await edit(cast.mia, id, { 'payload.amount': 202 })).body;
    expect((await cast.max.vote(id, { ...approve, payload_digest })).body.decision).toBe('allowed');
  });
});

describe('a change is refused', () => {
  test.each([
    ['of what the rule does not name', { 'payload.iban2': 'X' }, 422, 'NOT_EDITABLE'],
    ['of what is hidden', { 'payload.iban': 'X' }, 422, 'NOT_EDITABLE'],
    ['into another kind of value', { 'payload.amount': '501' }, 422, 'NOT_EDITABLE'],
    ['into nothing', { 'payload.amount': null }, 422, 'NOT_EDITABLE'],
    ['that changes nothing', { 'payload.amount': 500 }, 422, 'VALIDATION_ERROR'],
    ['of the action', { action_name: 'read.mail' }, 422, 'NOT_EDITABLE'],
    ['with a path through what is no object', { 'payload.note.text': 'X' }, 422, 'NOT_EDITABLE'],
    ['that names nothing', {}, 422, 'VALIDATION_ERROR'],
    [
      'of very many places at once',
      Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`payload.note.n${n}`, n])),
      422,
      'VALIDATION_ERROR',
    ],
  ])('%s', async (_, changes, status, error) => {
    const id = await asked(shared(), 'pay.large', large);
    expect(await edit(cast.mia, id, changes)).toMatchObject({ status, body: { error } });
    expect((await shared().admin.get(`/v1/approvals/${id}`)).body.revision).toBe(1);
  });

  test('where the agent did not say that it accepts one', async () => {
    const id = await asked(shared(), 'pay.large', { payload });
    expect(await edit(cast.mia, id, { 'payload.amount': 1 })).toMatchObject({
      status: 409,
      body: { error: 'EDITS_NOT_ACCEPTED' },
    });
  });

  test('of somebody who is not asked, and of one who saw another version', async () => {
    const id = await asked(shared(), 'pay.large', large);
    expect((await edit(cast.out, id, { 'payload.amount': 1 })).body.error).toBe('NOT_ELIGIBLE');
    await edit(cast.mia, id, { 'payload.amount': 203 });
    await atRevision(shared(), id, 2);
    expect(await edit(cast.max, id, { 'payload.amount': 204 })).toMatchObject({
      status: 409,
      body: { error: 'STALE_PAYLOAD', details: { revision: 2 } },
    });
  });
});

test('what the changed payload is hidden in, is hidden in what was changed too', async () => {
  const id = await asked(shared(), 'pay.large', large);
  await edit(cast.mia, id, { 'payload.amount': 2000, 'payload.note': 'for somebody else' });
  const view = await atRevision(shared(), id, 2);
  expect(view.redacted).toContain('payload.note');
  expect(view.edits[0].changes).toEqual([
    { path: 'payload.amount', from: 500, to: 2000 },
    { path: 'payload.note', from: '[redacted]', to: '[redacted]' },
  ]);
  expect(JSON.stringify((await cast.max.get(`/v1/approvals/${id}`)).body)).not.toMatch(
    /the trip|somebody else/,
  );
});

test('a change into what a limit has no room for is denied, and one into what it has room for uses nothing up', async () => {
  const { agent } = shared();
  const once = { action_name: 'pay.once' };
  expect((await agent.check({ ...once, payload: { amount: 1, to: 'ann' } })).body.decision).toBe('allowed');
  const held = { payload: { amount: 500, to: 'bob' }, accepts: ['edits'] };
  const change = async (changes: object) => {
    const id = await asked(shared(), 'pay.once', { ...held, case: JSON.stringify(changes) });
    expect((await edit(cast.mia, id, changes, digestOf(held.payload))).status).toBe(200);
    return id;
  };
  const full = await change({ 'payload.amount': 50, 'payload.to': 'ann' });
  await eventually(async () =>
    expect((await agent.answer(full)).body).toMatchObject({
      decision: 'denied',
      reason: expect.stringContaining('is used up (1 per 31d)'),
    }),
  );
  await atRevision(shared(), await change({ 'payload.amount': 50 }), 2);
  expect((await agent.check({ ...once, payload: { amount: 1, to: 'bob' } })).body.decision).toBe('allowed');
});

test('what is hidden is shown to a role that the policy lets see it, and stays hidden otherwise', async () => {
  const id = await asked(shared(), 'pay.large', { ...large, approvers: ['role:finance'] });
  expect((await cast.fay.get(`/v1/approvals/${id}`)).body).toMatchObject({
    payload: { iban: '[redacted]', name: 'Ann Other' },
    redacted: ['payload.iban'],
  });
  expect((await cast.mia.get(`/v1/approvals/${id}`)).body).toMatchObject({
    payload: { iban: '[redacted]', name: '[redacted]' },
  });
});

test('steps that were taken before a change are shown beside those that are left', async () => {
  const { admin } = shared();
  const id = await asked(shared(), 'pay.stepped', { accepts: ['edits'] });
  await eventually(async () =>
    expect((await admin.get(`/v1/approvals/${id}`)).body.steps[0].done_at).not.toBeNull(),
  );
  await edit(cast.mia, id, { 'payload.amount': 5 }, digestOf({ amount: 500 }));
  expect((await atRevision(shared(), id, 2)).steps).toMatchObject([
    { kind: 'remind', done_at: expect.any(String) },
    { kind: 'remind', done_at: null },
  ]);
});

test('who is informed stands in the closing of the approval', async () => {
  const { raw, admin } = shared();
  const bot = await agentNamed(shared(), 'bot');
  const { owner } = (await admin.get('/v1/agents/bot')).body;
  const id = await asked({ ...shared(), agent: bot }, 'pay.large', large);
  await cast.mia.vote(id, approve);
  await eventually(async () => {
    const closed = (await messagesIn(raw)).find(
      ({ subject }) => subject.includes(id) && subject.includes('approval.closed'),
    );
    expect(closed?.event.data).toMatchObject({
      inform: [
        { kind: 'user', email: owner },
        { kind: 'channel', channel: 'finance' },
      ],
    });
  });
});
