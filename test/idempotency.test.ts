import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, held, messageCount, policy, rawBroker, typesOf, webhookReceiver } from './support.ts';

releaseAfterEach();

const refund = {
  action_name: 'refund.create',
  payload: { amount: 20, to: { name: 'Ann', iban: 'DE00' } },
  idempotency_key: 'refund of order 7',
};

describe('the same key, action and payload are the same action', () => {
  test('asked again it is answered, not held and announced again', async () => {
    const { received, env } = await webhookReceiver();
    const { agent, admin, placet } = await startTestPlacet({ policy, env });
    const first = (await agent.check(refund)).body;
    const raw = await rawBroker(placet);
    await eventually(async () => expect(await typesOf(raw, first.action_id)).toContain('notification.sent'));

    expect((await agent.check(refund)).body).toEqual(first);

    await admin.vote(first.action_id, { vote: 'approve' });
    const allowed = (await agent.check(refund)).body;
    expect(allowed).toMatchObject({ decision: 'allowed', action_id: first.action_id });
    expect((await agent.check(refund, '?wait=5')).body).toEqual(allowed);
    await eventually(() => expect(received.map(({ body }) => body.type)).toContain('approval.closed'));
    expect(received).toHaveLength(2);
    expect((await admin.get('/v1/approvals?status=all')).body.approvals).toHaveLength(1);
  });

  test('also after a restart of everything, held and decided, without a second announcement', async () => {
    const { received, env } = await webhookReceiver();
    const first = await startTestPlacet({ policy, env });
    const open = (await first.agent.check(refund)).body;
    const drop = { action_name: 'drop.table', payload: {}, idempotency_key: 'drop' };
    const denied = (await first.agent.check(drop)).body;
    await eventually(() => expect(received).toHaveLength(1));
    await eventually(async () =>
      expect(await typesOf(await rawBroker(first.placet), open.action_id)).toContain('notification.sent'),
    );
    await first.close();

    const second = await startTestPlacet({ dataDir: first.dataDir, env });

    expect((await second.agent.check(refund)).body).toEqual(open);
    expect((await second.agent.check(drop)).body).toEqual(denied);
    const other = await held(second);
    const raw = await rawBroker(second.placet);
    await eventually(async () => expect(await typesOf(raw, other)).toContain('notification.sent'));
    expect(received.map(({ body }) => (body.data as { action_id: string }).action_id)).toEqual([
      open.action_id,
      other,
    ]);
    await second.admin.vote(open.action_id, { vote: 'approve' });
    expect((await second.agent.check(refund)).body.decision).toBe('allowed');
  });

  test('whatever the order of the payload’s members, and however its numbers are written', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const first = (await agent.check(refund)).body;
    const written = [
      '{"idempotency_key":"refund of order 7","payload":{"to":{"iban":"DE00","name":"Ann"},"amount":20},"action_name":"refund.create"}',
      '{ "action_name": "refund.create", "idempotency_key": "refund of order 7", "payload": { "amount": 2e1, "to": { "iban": "\\u0044E00", "name": "Ann" } } }',
      '{"action_name":"refund.create","payload":{"amount":20.0,"to":{"name":"Ann","iban":"DE00"}},"idempotency_key":"refund of order 7"}',
    ];

    for (const body of written) expect((await agent.check(body)).body).toEqual(first);

    expect((await (await rawBroker(placet)).jsm.streams.info('PLACET')).state.messages).toBe(2);
  });

  test('what is told around it may differ', async () => {
    const { agent } = await startTestPlacet({ policy });
    const first = (await agent.check(refund)).body;

    expect((await agent.check({ ...refund, reasoning: 'A second thought.' })).body).toEqual(first);
  });
});

describe('the same key for something else', () => {
  test.each([
    ['another payload', { payload: { amount: 21 } }],
    ['no payload', { payload: {} }],
    ['a text for a number', { payload: { ...refund.payload, amount: '20' } }],
    ['another action', { action_name: 'refund.cancel' }],
    ['an action in other letters', { action_name: 'Refund.create' }],
  ])('%s is refused, and nothing is stored', async (_name, other) => {
    const { agent, placet } = await startTestPlacet({ policy });
    const { action_id } = (await agent.check(refund)).body;
    const raw = await rawBroker(placet);
    const before = await messageCount(raw);

    expect(await agent.check({ ...refund, ...other })).toMatchObject({
      status: 409,
      body: { error: 'IDEMPOTENCY_CONFLICT', details: { action_id } },
    });

    expect(await messageCount(raw)).toBe(before);
    expect((await agent.answer(action_id)).body.decision).toBe('pending');
  });

  test('is refused as well when both come at once: one of them is the action', async () => {
    const { agent } = await startTestPlacet({ policy });
    const bodies = Array.from({ length: 20 }, (_, i) => ({ ...refund, payload: { amount: i % 2 } }));

    const replies = await Promise.all(bodies.map((body) => agent.check(body)));

    const statuses = replies.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(10).fill(200), ...Array(10).fill(409)]);
    const ids = replies.flatMap(({ status, body }) => (status === 200 ? [body.action_id] : []));
    expect(new Set(ids).size).toBe(1);
  });
});

describe('different actions', () => {
  test('two agents with the same key', async () => {
    const started = await startTestPlacet({ policy });
    const other = await agentNamed(started, 'other');

    const mine = (await started.agent.check(refund)).body;
    const theirs = (await other.check({ ...refund, payload: { amount: 1 } })).body;

    expect(theirs.action_id).not.toBe(mine.action_id);
    await started.admin.vote(mine.action_id, { vote: 'approve' });
    expect((await other.check({ ...refund, payload: { amount: 1 } })).body.decision).toBe('pending');
  });

  test('two requests without a key, or with two', async () => {
    const { agent } = await startTestPlacet({ policy });
    const { idempotency_key: _, ...keyless } = refund;

    const ids = await Promise.all(
      [keyless, keyless, refund, { ...refund, idempotency_key: 'refund of order 8' }].map(
        async (body) => (await agent.check(body)).body.action_id,
      ),
    );

    expect(new Set(ids).size).toBe(4);
  });

  test('a request and a log entry with the same key', async () => {
    const { agent } = await startTestPlacet({ policy });
    const entry = { action_name: 'refund.create', idempotency_key: refund.idempotency_key };

    const logged = await agent.post('/v1/actions/log', entry);
    const asked = await agent.check(refund);

    expect(logged.status).toBe(201);
    expect(asked.body.action_id).not.toBe(logged.body.action_id);
    expect((await agent.post('/v1/actions/log', entry)).body).toEqual(logged.body);
    expect((await agent.post('/v1/actions/log', { ...entry, outcome: 'failure' })).body.error).toBe(
      'IDEMPOTENCY_CONFLICT',
    );
  });
});
