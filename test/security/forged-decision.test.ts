import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, headers } from '@nats-io/transport-node';
import { pythonWith } from '@placet/cluster/python.ts';
import { type EventData, makeEvent, type PlacetEvent, subjectFor } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestCluster,
  type TestCluster,
} from '@placet/testing';
import { beforeAll, expect, test } from 'vitest';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';
import { decided, held, policy, type Received, webhookReceiver } from '../support.ts';
import { type Language, startSubscriber, subscriberPackages } from './subscribers.ts';
import { decisionOf as forgedData } from './thief.ts';

/**
 * Whoever has stolen the password of a service that decides can store a decision of his own: the broker takes it, and
 * its place is taken for good. He has neither the seal key nor a signing key, so nobody may believe it.
 */
releaseAfterEach();

// The first time, the packages are fetched.
beforeAll(() => pythonWith(subscriberPackages), 300_000);

type Decided = Extract<PlacetEvent, { type: 'action.decided' }>;
type Forgery = (id: string, genuine: Decided) => Decided;

/** A well-formed decision about the held action. */
const forged = (id: string, part: Partial<EventData<'action.decided'>>): Decided => {
  const data = {
    ...forgedData(id),
    proof: 'e30.e30.e30',
    ...part,
  } as EventData<'action.decided'>;
  return makeEvent('action.decided', { service: 'decisions', id: `forged-${id}`, now: new Date(), data });
};

const forgeries: [string, Forgery, string][] = [
  ['an invented proof', (id) => forged(id, {}), 'wrong_proof'],
  ['the real proof of another action', (id, { data }) => forged(id, { proof: data.proof }), 'wrong_proof'],
  [
    'all that another decision says but the action',
    (id, genuine) => ({ ...genuine, subject: id, data: { ...genuine.data, action_id: id } }),
    'wrong_proof',
  ],
  ['another decision as it stands', (_, genuine) => genuine, 'wrong_subject'],
];

test('a decision stored by a thief is believed by nobody', async () => {
  const receiver = await webhookReceiver();
  const subscribers = ['crm', 'billing'];
  const cluster = await startTestCluster({ policy, subscribers, env: { notifier: receiver.env } });
  const followers = await Promise.all(
    (['ts', 'python'] as Language[]).map((language, i) =>
      startSubscriber(cluster, language, subscribers[i] ?? ''),
    ),
  );
  const allowed = [await approved(cluster)];
  const genuine = await decisionOf(cluster, allowed[0] ?? '');
  const refused: string[] = [];

  for (const [how, forge, flaw] of forgeries) {
    const id = await held(cluster);
    const waiting = cluster.agent.answer(id, '?wait=30');
    const place = { agent: 'my-agent', action_id: id };
    const subject = subjectFor('action.decided', place);
    await storeAs(cluster, 'decisions', subject, forge(id, genuine));
    await storeAs(cluster, 'decisions', subjectFor('approval.closed', place, 'forged'), closing(id, genuine));
    // One that is stored a second time, as it stands, is true, and handled already.
    if (flaw !== 'wrong_subject') refused.push(`rejected ${subject}`);

    expect((await waiting).body.decision, how).toBe('denied');
    const vote = await cluster.admin.vote(id, { vote: 'approve' });
    expect(vote, how).toMatchObject({ status: 409, body: { error: 'NOT_ALLOWED' } });
    expect((await cluster.agent.answer(id)).body.decision, how).toBe('denied');
    await expectMarked(cluster, id, flaw);

    allowed.push(await approved(cluster));
    const told = [...allowed.map((one) => `accepted ${one} allowed`), ...refused].toSorted();
    for (const follower of followers) {
      await eventually(() => expect(follower.lines().toSorted(), how).toEqual(told));
      expect(follower.errors()).toBe('');
    }
    await eventually(() => expect(endsTold(receiver.received).toSorted(), how).toEqual(allowed.toSorted()));
  }

  const metrics = await (await fetch(`${cluster.of('audit')[0]?.url}/metrics`)).text();
  expect(metrics).toContain(`placet_alarms_total{kind="flawed_record"} ${forgeries.length * 2}`);
});

/** Tells channels that the action is allowed, with the proof of another. */
function closing(id: string, { data }: Decided): PlacetEvent {
  const { agent, action_name, decision, reason, deciders, proof } = data;
  const told = { action_id: id, agent, action_name, decision, reason, deciders, proof };
  return makeEvent('approval.closed', {
    service: 'decisions',
    id: `closed-${id}`,
    now: new Date(),
    data: { ...told, decision_event: `forged-${id}` },
  });
}

/** A held action that a person has approved. */
async function approved(cluster: TestCluster): Promise<string> {
  const id = await held(cluster);
  expect((await cluster.admin.vote(id, { vote: 'approve' })).status).toBe(200);
  await decided(cluster.agent, id, 'allowed');
  return id;
}

async function decisionOf({ admin }: TestCluster, id: string): Promise<Decided> {
  return eventually(async () => {
    const { body } = await admin.get(`/v1/audit?action=${id}&type=action.decided`);
    expect(body.records).toMatchObject([{ flaw: null, seal: expect.stringMatching(/^k1\./) }]);
    return JSON.parse(body.records[0].body);
  });
}

async function storeAs(
  cluster: TestCluster,
  user: string,
  subject: string,
  event: PlacetEvent,
): Promise<void> {
  const pass = readFileSync(join(cluster.secretsDir, secretFiles.natsPassword(user)), 'utf8').trim();
  const nc = await connect({ servers: cluster.natsUrl, user, pass, inboxPrefix: `_INBOX_${user}` });
  releaseAfterTest(`connection of ${user}`, () => nc.close());
  const sealed = headers();
  sealed.set('Placet-Seal', `k1.${'0'.repeat(64)}`);
  const stored = await nc.request(subject, JSON.stringify(event), { headers: sealed, timeout: 5000 });
  expect(stored.json()).toMatchObject({ stream: 'PLACET', seq: expect.any(Number) });
}

/** The record shows both with their flaws, and each has one alarm. */
async function expectMarked(cluster: TestCluster, id: string, flaw: string): Promise<void> {
  await eventually(async () => {
    const { body } = await cluster.admin.get(`/v1/audit?flawed=true&action=${id}`);
    const seal = `k1.${'0'.repeat(64)}`;
    expect(body.records).toMatchObject([
      { type: flaw === 'wrong_subject' ? 'unreadable' : 'action.decided', action: id, flaw, seal },
      { type: 'approval.closed', action: id, flaw: 'wrong_proof', seal },
    ]);
  });
  await eventually(async () => {
    const { body } = await cluster.admin.get(`/v1/audit?type=alarm.raised&action=${id}`);
    const alarms = body.records.map((record: { body: string }) => JSON.parse(record.body).data);
    expect(alarms).toMatchObject([
      { kind: 'flawed_record', details: { flaw, action_id: id } },
      { kind: 'flawed_record', details: { flaw: 'wrong_proof', action_id: id } },
    ]);
  });
}

const endsTold = (received: Received[]) =>
  received.flatMap(({ body }) =>
    body.type === 'approval.closed' ? [(body.data as { action_id: string }).action_id] : [],
  );
