import { headers } from '@nats-io/transport-node';
import {
  type EventOf,
  eventStream,
  historyFilter,
  makeEvent,
  requests,
  subjectFor,
  type VoteQuestion,
} from '@placet/events';
import { createSigner, digestOf, generateSigningKey } from '@placet/proof';
import { decidedEvent } from '@placet/runtime';
import { eventually, releaseAfterEach, startTestPlacet, testSealer } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  alarmKinds,
  decided,
  held,
  messagesIn,
  policy,
  type RawBroker,
  rawBroker,
  typesOf,
} from '../support.ts';

releaseAfterEach();

const agentName = 'my-agent';
const actionId = `act_${'0'.repeat(32)}`;
const payload = { amount: 20 };

function store(raw: RawBroker, subject: string, event: object, seal?: string) {
  const h = headers();
  if (seal !== undefined) h.set('Placet-Seal', seal);
  return raw.js.publish(subject, JSON.stringify(event), { headers: h });
}

function requested(action_id: string): EventOf<'action.requested'> {
  const data = {
    action_id,
    agent: agentName,
    owner: 'unassigned',
    action_name: 'read.mail',
    payload: {},
    payload_digest: digestOf({}),
    idempotency_key: null,
  };
  return makeEvent('action.requested', { service: 'gateway', id: 'forged', now: new Date(), data });
}

/** A decision as the service would write it, signed with a key that is nobody's. */
function allowed(action_id: string): EventOf<'action.decided'> {
  const action = {
    action_id,
    agent: agentName,
    action_name: 'refund.create',
    request_event: 'forged',
    payload_digest: digestOf(payload),
  };
  const facts = {
    reason: 'Sure.',
    rule: null,
    scope: null,
    policies: [],
    deciders: ['person:boss@example.com'],
  };
  return decidedEvent(
    'decisions',
    createSigner(generateSigningKey()),
    action,
    { ...facts, held: true, decision: 'allowed', cause: 'votes', validForMs: 60_000 },
    new Date(),
  );
}

const seals: [string, (subject: string, body: string) => string | undefined][] = [
  ['without a seal', () => undefined],
  ['with a wrong seal', (subject, body) => testSealer().seal(subject, body)],
  ['with what is no seal', () => 'k1.0000'],
];

describe('rule 1: fail closed on what Placet did not write', () => {
  test.each(seals)('a request %s is never allowed, and is an alarm', async (_name, seal) => {
    const { agent, admin, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const event = requested(actionId);
    const subject = subjectFor('action.requested', event.data);

    await store(raw, subject, event, seal(subject, JSON.stringify(event)));

    await eventually(async () => expect(await alarmKinds(raw)).toContain('wrong_seal'));
    expect((await agent.answer(actionId)).body.decision).toBe('denied');
    expect((await agent.post(`/v1/check/${actionId}/execution`, { status: 'success' })).status).toBe(409);
    const vote = await admin.vote(actionId, { vote: 'approve' });
    expect(vote).toMatchObject({ status: 409, body: { error: 'NOT_ALLOWED' } });
    expect(await typesOf(raw, actionId)).toEqual(['action.requested']);
  });

  test('a request that is not ours harms nobody: what comes after it is answered, and nothing is dead', async () => {
    const { agent, placet, close } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const event = requested(actionId);
    await store(raw, subjectFor('action.requested', event.data), event);

    expect((await agent.check({ action_name: 'read.mail', payload: {} })).body.decision).toBe('allowed');

    await eventually(async () => {
      const { num_ack_pending, num_pending } = await raw.jsm.consumers.info(eventStream, 'policy');
      expect({ num_ack_pending, num_pending }).toEqual({ num_ack_pending: 0, num_pending: 0 });
    });
    await eventually(async () => expect(await alarmKinds(raw)).toContain('wrong_seal'));
    expect((await messagesIn(raw)).map(({ event: { type } }) => type)).not.toContain('message.dead');
    await raw.nc.close();
    await close();
  });

  test.each(seals)(
    'an "allowed" %s in the place of the decision: denied, and an alarm',
    async (_name, seal) => {
      const { agent, admin, placet } = await startTestPlacet({ policy });
      const raw = await rawBroker(placet);
      const id = await held({ agent }, { payload });
      const waiting = agent.answer(id, '?wait=30');
      const event = allowed(id);
      const subject = subjectFor('action.decided', event.data);

      await store(raw, subject, event, seal(subject, JSON.stringify(event)));

      expect((await waiting).body.decision).toBe('denied');
      expect((await agent.answer(id)).body).toMatchObject({ decision: 'denied', action_id: id });
      await eventually(async () => expect(await alarmKinds(raw)).toContain('wrong_seal'));
      const late = await admin.vote(id, { vote: 'approve' });
      expect(late.status).toBe(409);
      expect((await agent.answer(id)).body.decision).toBe('denied');
      expect(await agent.post(`/v1/check/${id}/execution`, { status: 'success' })).toMatchObject({
        status: 409,
        body: { error: 'NOT_ALLOWED' },
      });
    },
  );

  test("another action's decision, copied with its seal, is not this one's", async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    await agent.check({ action_name: 'read.mail', payload: {} });
    const real = (await messagesIn(raw)).find(({ event }) => event.type === 'action.decided');
    const id = await held({ agent });
    const subject = subjectFor('action.decided', { agent: agentName, action_id: id });

    await store(raw, subject, real?.event ?? {}, real?.seal);

    expect((await agent.answer(id)).body.decision).toBe('denied');
    await eventually(async () => expect(await alarmKinds(raw)).toContain('wrong_seal'));
  });

  test('a vote that is not ours denies the action it was meant to allow', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const id = await held({ agent });
    const me = (await admin.get('/v1/people/me')).body;
    const vote = makeEvent('approval.voted', {
      service: 'decisions',
      id: 'forged',
      now: new Date(),
      data: {
        action_id: id,
        agent: agentName,
        number: 1,
        request: 'forged',
        vote: 'approve',
        voter: { id: me.id, email: me.email },
        eligible_as: [{ as: ['#approvals'] }],
        channel: 'api',
        payload_digest: digestOf(payload),
      },
    });

    await store(raw, subjectFor('approval.voted', vote.data, 1), vote);

    await eventually(async () => expect(await typesOf(raw, id)).toContain('action.decided'));
    const { body } = await agent.answer(id);
    expect(body.decision).toBe('denied');
    const [decision] = (await messagesIn(raw)).filter(({ event }) => event.type === 'action.decided');
    expect(decision?.event.data).toMatchObject({ decision: 'denied', cause: 'forged' });
  });

  test('a message of no known form among the events of an action denies it too', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const id = await held({ agent });

    await store(raw, `${historyFilter(agentName, id).slice(0, -1)}approval.granted`, { granted: true });

    await decided(agent, id, 'denied');
  });

  test('a question to vote without our seal is no vote', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const id = await held({ agent });
    const me = (await admin.get('/v1/people/me')).body;
    const voter = { id: me.id, email: me.email, roles: ['admin', 'approver'] };
    const data: VoteQuestion = { action_id: id, vote: 'approve', channel: 'api', voter };
    const body = JSON.stringify({ id: 'forged', at: new Date().toISOString(), data });

    const h = headers();
    h.set('Placet-Seal', testSealer().seal(requests.vote, body));
    for (const options of [{}, { headers: h }]) {
      const answer = await raw.nc.request(requests.vote, body, { timeout: 5000, ...options });
      expect(answer.json()).toMatchObject({ ok: false, code: 'FORBIDDEN' });
    }

    expect((await agent.answer(id)).body.decision).toBe('pending');
    expect(await typesOf(raw, id)).toEqual(['action.requested', 'approval.needed']);
  });
});
