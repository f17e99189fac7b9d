import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { JsMsg } from '@nats-io/jetstream';
import { type ConsumerSpec, consumers, type Service } from '@placet/events';
import { restartConsumer } from '@placet/runtime';
import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  held,
  messagesIn,
  personWith,
  policy,
  type RawBroker,
  rawBroker,
  typesOf,
  webhookReceiver,
} from '../support.ts';

releaseAfterEach();

/** Some of everything, and all that follows of it. */
async function someHistory(started: TestPlacet, raw: RawBroker): Promise<string[]> {
  const { agent, admin } = started;
  const read = (await agent.check({ action_name: 'read.mail', payload: {} })).body.action_id;
  await agent.post(`/v1/check/${read}/execution`, { status: 'success' });
  const dropped = (await agent.check({ action_name: 'drop.table', payload: {} })).body.action_id;
  const approved = await held(started);
  await admin.vote(approved, { vote: 'approve' });
  const rejected = await held(started);
  await admin.vote(rejected, { vote: 'reject' });
  const open = await held(started);
  await eventually(async () => {
    for (const id of [approved, rejected]) {
      const told = (await typesOf(raw, id)).filter((type) => type === 'notification.sent');
      expect(told).toHaveLength(2);
    }
    expect(await typesOf(raw, open)).toContain('notification.sent');
  });
  return [read, dropped, approved, rejected, open];
}

const durables: [Service, (typeof consumers)[keyof typeof consumers]][] = [
  ['policy', consumers.policy],
  ['notifier', consumers.notifierWebhook],
];

async function settled({ jsm }: RawBroker): Promise<void> {
  await eventually(async () => {
    for (const [, { durable }] of durables) {
      const { num_pending, num_ack_pending, delivered } = await jsm.consumers.info('PLACET', durable);
      expect({ durable, num_pending, num_ack_pending }).toEqual({
        durable,
        num_pending: 0,
        num_ack_pending: 0,
      });
      expect(delivered.consumer_seq).toBeGreaterThan(0);
    }
  });
}

const outcomes = ({ dataDir }: TestPlacet) => new DatabaseSync(join(dataDir, 'decisions.sqlite'));

/** The decisions service has no consumer: how far it has read the stream stands in its own store. */
function readFromTheBeginning(started: TestPlacet): void {
  const database = outcomes(started);
  database.exec("DELETE FROM meta WHERE name = 'position'");
  database.close();
}

function positionOf(started: TestPlacet): number {
  const database = outcomes(started);
  const row = database.prepare("SELECT value FROM meta WHERE name = 'position'").get();
  database.close();
  return row ? JSON.parse(row['value'] as string).seq : 0;
}

async function seen({ agent, admin }: TestPlacet, ids: string[]) {
  return {
    answers: await Promise.all(ids.map(async (id) => (await agent.answer(id)).body)),
    approvals: (await admin.get('/v1/approvals?status=all')).body,
  };
}

/** Whoever follows the consumer next is given what it holds in the reverse of the stream's order. */
async function turnRound({ js }: RawBroker, { durable }: ConsumerSpec, count: number): Promise<void> {
  const consumer = await js.consumers.get('PLACET', durable);
  const given = async () => {
    const messages: JsMsg[] = [];
    await eventually(async () => {
      const fetched = await consumer.fetch({ max_messages: count - messages.length, expires: 1000 });
      for await (const message of fetched) messages.push(message);
      expect(messages).toHaveLength(count);
    });
    return messages;
  };
  const inOrder = await given();
  for (const message of inOrder.toReversed()) message.nak();
  const turned = await given();
  expect(turned.map(({ seq }) => seq)).toEqual(inOrder.map(({ seq }) => seq).toReversed());
  for (const message of turned) message.nak();
}

type Told = { type: string; data: { action_id: string } };
const toldOf = ({ type, data }: Told) => `${type} ${data.action_id}`;

describe('rule 7: delivered twice is the same as once', () => {
  test('every event again, to every service: no second event, decision or notification', async () => {
    const { received, env } = await webhookReceiver();
    const started = await startTestPlacet({ policy, env });
    const { placet } = started;
    const raw = await rawBroker(placet);
    const ids = await someHistory(started, raw);
    await settled(raw);
    const events = await messagesIn(raw);
    const before = await seen(started, ids);
    expect(received).toHaveLength(5);

    for (const [name, spec] of durables) {
      await placet.stop(name);
      await restartConsumer(raw, spec);
      await placet.start(name);
    }
    await placet.stop('decisions');
    readFromTheBeginning(started);
    await placet.start('decisions');
    await settled(raw);
    await eventually(async () => {
      const { state } = await raw.jsm.streams.info('PLACET');
      expect(positionOf(started)).toBe(state.last_seq);
    });

    expect(await messagesIn(raw)).toEqual(events);
    expect(await seen(started, ids)).toEqual(before);
    expect(received).toHaveLength(5);
  });

  test('in the other order: each action comes to the same end, and of each the same is told', async () => {
    const { received, env } = await webhookReceiver();
    const started = await startTestPlacet({ policy, env: { ...env, PLACET_VERDICT_WAIT: '100ms' } });
    const { agent, admin, placet } = started;
    const raw = await rawBroker(placet);
    const asked = ['read.mail', 'drop.table', 'refund.one', 'refund.two', 'refund.three', 'read.news'];
    const ends = ['allowed', 'denied', 'allowed', 'denied', 'pending', 'allowed'];

    for (const name of ['policy', 'notifier'] as const) await placet.stop(name);
    const ids: string[] = [];
    for (const action_name of asked) {
      ids.push((await agent.check({ action_name, payload: {} })).body.action_id);
    }
    await turnRound(raw, consumers.policy, asked.length);
    await placet.start('policy');
    const [one, two, three] = ids.slice(2, 5) as [string, string, string];
    await eventually(async () => expect((await agent.answer(three)).body.approval).toBeDefined());
    await admin.vote(one, { vote: 'approve' });
    await admin.vote(two, { vote: 'reject' });
    const answers = async () => Promise.all(ids.map(async (id) => (await agent.answer(id)).body.decision));
    await eventually(async () => expect(await answers()).toEqual(ends));
    await turnRound(raw, consumers.notifierWebhook, 5);
    await placet.start('notifier');
    await settled(raw);

    await eventually(() =>
      expect(received.map(({ body }) => toldOf(body as Told)).toSorted()).toEqual(
        [
          ...[one, two, three].map((id) => `approval.needed ${id}`),
          ...[one, two].map((id) => `approval.closed ${id}`),
        ].toSorted(),
      ),
    );
    expect(await answers()).toEqual(ends);
    for (const id of ids) {
      const decisions = (await typesOf(raw, id)).filter((type) => type === 'action.decided');
      expect(decisions).toHaveLength(id === three ? 0 : 1);
    }
  });

  test('again under another policy: what was decided stays as it was', async () => {
    const started = await startTestPlacet({ policy });
    const { agent, admin, placet } = started;
    const raw = await rawBroker(placet);
    const read = (await agent.check({ action_name: 'read.mail', payload: {} })).body;
    const open = await held(started);
    const events = await messagesIn(raw);

    await placet.stop('policy');
    await restartConsumer(raw, consumers.policy);
    await admin.put('/v1/policies/default', 'version: 1\ndefault: deny\n');
    await placet.start('policy');
    await eventually(async () => {
      const { num_pending, num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'policy');
      expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
    });

    expect(await messagesIn(raw)).toEqual(events);
    expect((await agent.answer(read.action_id)).body).toEqual(read);
    expect((await agent.answer(open)).body.decision).toBe('pending');
  });

  test('a person who votes twice is counted once, and told the same', async () => {
    const started = await startTestPlacet({ policy });
    const { admin, placet } = started;
    const id = await held(started);

    const first = await admin.vote(id, { vote: 'approve', comment: 'Yes.' });
    const second = await admin.vote(id, { vote: 'approve', comment: 'Yes, again.' });

    expect(second).toMatchObject({ status: 200, body: first.body });
    expect((await admin.vote(id, { vote: 'reject' })).body.error).toBe('ALREADY_DECIDED');
    const types = await typesOf(await rawBroker(placet), id);
    expect(types.filter((type) => type === 'approval.voted')).toHaveLength(1);
  });

  test('a question that was overheard and asked again has no second effect', async () => {
    const started = await startTestPlacet({ policy });
    const { admin, placet } = started;
    const raw = await rawBroker(placet);
    const overheard = raw.nc.subscribe('placetrpc.decisions.vote', { max: 1 });
    const id = await held(started);
    await admin.vote(id, { vote: 'approve' });
    const events = await typesOf(raw, id);

    for await (const question of overheard) {
      const options = question.headers ? { headers: question.headers } : {};
      const reply = await raw.nc.request(question.subject, question.data, { timeout: 5000, ...options });
      expect(reply.json()).toMatchObject({ ok: true, data: { decision: 'allowed' } });
    }

    await eventually(async () => expect(await typesOf(raw, id)).toContain('approval.closed'));
    expect((await typesOf(raw, id)).slice(0, events.length)).toEqual(events);
    expect((await typesOf(raw, id)).filter((type) => type === 'approval.voted')).toHaveLength(1);
  });

  test('what was done is not refused when it is asked again, whatever was changed since', async () => {
    const changeable = `
version: 1
rules:
  - action: deploy
    decide: require_approval
    quorum: 2
    editable: [payload.amount]
    choices: [{ name: blue, means: allow }, { name: none, means: deny }]
default: deny
`;
    const started = await startTestPlacet({ policy: changeable });
    const { admin, agent, placet } = started;
    const raw = await rawBroker(placet);
    const other = await personWith(started, 'ben@example.com', ['approver']);
    const asked = { action_name: 'deploy', payload: { amount: 5 }, accepts: ['edits'] };
    const id = (await agent.check(asked)).body.action_id;
    const { payload_digest } = await eventually(async () => {
      const shown = await admin.get(`/v1/approvals/${id}`);
      expect(shown.status).toBe(200);
      return shown.body;
    });
    const overheard = ['vote', 'edit'].map((what) =>
      raw.nc.subscribe(`placetrpc.decisions.${what}`, { max: 1 }),
    );
    const voted = (await admin.vote(id, { choice: 'blue' })).body;
    const edit = { changes: { 'payload.amount': 4 }, payload_digest };
    const changed = await other.post(`/v1/approvals/${id}/edits`, edit);
    expect(changed).toMatchObject({ status: 200, body: { revision: 2 } });
    await eventually(async () =>
      expect((await admin.get(`/v1/approvals/${id}`)).body).toMatchObject({ revision: 2 }),
    );

    const told: object[] = [];
    for (const questions of overheard) {
      for await (const question of questions) {
        const options = question.headers ? { headers: question.headers } : {};
        const reply = await raw.nc.request(question.subject, question.data, { timeout: 5000, ...options });
        told.push(reply.json());
      }
    }
    expect(told).toMatchObject([
      { ok: true, data: { vote: voted.vote, choice: 'blue', decision: 'pending' } },
      { ok: true, data: { revision: 2, payload_digest: changed.body.payload_digest } },
    ]);
  });
});
