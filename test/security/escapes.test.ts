import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { liveSubject, subjectFor } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestCluster,
  type TestCluster,
} from '@placet/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';
import { held, policy } from '../support.ts';

/**
 * JetStream answers to whatever subject a request names, and does not ask whether the requester may publish there. So
 * whoever has stolen the password of a service that may store anything at all can have it sent to any subject.
 */
releaseAfterEach();

type Thief = {
  /** Has a text of its own choice delivered to a subject to which it may not publish. */
  send(to: string, text: string): Promise<void>;
  nc: NatsConnection;
};

let stored = 0;

/** The notifier may store notes; the audit service may store alarms. */
async function thiefOf(cluster: TestCluster, user: 'notifier' | 'audit'): Promise<Thief> {
  const nc = await connectAs(cluster, user);
  const own = () => {
    stored++;
    return user === 'notifier'
      ? `placet.note.my-agent.act_${String(stored).padStart(32, '0')}.notification.sent.x${stored}`
      : `placet.sys.alarm.raised.x${stored}`;
  };
  return {
    nc,
    async send(to, text) {
      const place = own();
      await nc.request(place, text, { timeout: 5000 });
      nc.publish('$JS.API.DIRECT.GET.PLACET', JSON.stringify({ last_by_subj: place }), { reply: to });
      await nc.flush();
    },
  };
}

async function connectAs(cluster: TestCluster, user: string): Promise<NatsConnection> {
  const pass = readFileSync(join(cluster.secretsDir, secretFiles.natsPassword(user)), 'utf8').trim();
  const nc = await connect({ servers: cluster.natsUrl, user, pass, inboxPrefix: `_INBOX_${user}` });
  releaseAfterTest(`connection of ${user}`, () => nc.close());
  return nc;
}

async function alarmsOf({ admin }: TestCluster): Promise<string[]> {
  const { body } = await admin.get('/v1/audit?type=alarm.raised&limit=200');
  return body.records.flatMap((record: { type: string; body: string }) =>
    record.type === 'alarm.raised' ? [JSON.parse(record.body).data.kind] : [],
  );
}

async function alarmMetrics(cluster: TestCluster, kind: string): Promise<number> {
  const texts = await Promise.all(
    cluster.services.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
  );
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.startsWith(`placet_alarms_total{kind="${kind}"}`))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

const logsOf = (cluster: TestCluster) =>
  cluster.services.map(({ log }) => readFileSync(log, 'utf8')).join('');

/** An alarm is an event on the record, a metric and a line in a log. */
async function expectAlarm(cluster: TestCluster, kind: string): Promise<void> {
  await eventually(async () => {
    expect(await alarmsOf(cluster)).toContain(kind);
    expect(await alarmMetrics(cluster, kind)).toBeGreaterThan(0);
    expect(logsOf(cluster)).toContain(`"alarm":"${kind}"`);
  });
}

describe.each(['notifier', 'audit'] as const)('with the stolen password of the %s service', (user) => {
  let cluster: TestCluster;
  let thief: Thief;
  beforeEach(async () => {
    cluster = await startTestCluster({ policy });
    thief = await thiefOf(cluster, user);
  });

  test('a vote in the name of a person is not counted', async () => {
    const id = await held(cluster);
    const question = {
      id: 'question',
      at: new Date().toISOString(),
      data: {
        action_id: id,
        vote: 'approve',
        channel: 'api',
        voter: { id: 'p', email: 'admin@example.com', roles: ['approver', 'admin'] },
      },
    };
    await thief.send('placetrpc.decisions.vote', JSON.stringify(question));
    await expectAlarm(cluster, 'wrong_seal');
    expect((await cluster.agent.answer(id)).body.decision).toBe('pending');
    expect((await cluster.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
  });

  test('an administrator of its own is not believed', async () => {
    const value = {
      value: {
        id: 'mallory',
        email: 'm@example.com',
        roles: ['admin'],
        created_at: '2026-01-01T00:00:00Z',
        disabled: false,
        tokens: [],
      },
      by: 'admin@example.com',
      at: new Date().toISOString(),
      replaces: 0,
      seal: `k1.${'0'.repeat(64)}`,
    };
    await thief.send('$KV.placet-people.mallory', JSON.stringify(value));
    await expectAlarm(cluster, 'configuration_forged');
    const { body } = await cluster.admin.get('/v1/people');
    expect(JSON.stringify(body)).not.toContain('mallory');
  });

  test('a decision in its place is not acted upon', async () => {
    const id = await held(cluster);
    const waiting = cluster.agent.answer(id, '?wait=30');
    const data = decisionOf(id);
    await thief.send(subjectFor('action.decided', data), eventOf(id, data));
    expect((await waiting).body.decision).toBe('denied');
    expect((await cluster.agent.answer(id)).body.decision).toBe('denied');
    await expectAlarm(cluster, 'wrong_seal');
  });

  test('a live message that was never stored allows nobody', async () => {
    const id = await held(cluster);
    const waiting = cluster.agent.answer(id, '?wait=2');
    const data = decisionOf(id);
    await thief.send(liveSubject(subjectFor('action.decided', data)), eventOf(id, data));
    expect((await waiting).body.decision).toBe('pending');
    await expectAlarm(cluster, 'wrong_seal');
    expect((await cluster.admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });
});

function decisionOf(id: string) {
  return {
    action_id: id,
    agent: 'my-agent',
    action_name: 'refund.create',
    request_event: 'r',
    reason: 'Because.',
    rule: null,
    scope: null,
    policies: [],
    payload_digest: `sha256:${'a'.repeat(64)}`,
    deciders: ['person:admin@example.com'],
    held: true,
    proof: 'proof',
    decision: 'allowed',
    cause: 'votes',
    valid_until: new Date(Date.now() + 600_000).toISOString(),
  };
}

function eventOf(id: string, data: object): string {
  return JSON.stringify({
    specversion: '1.0',
    id: `forged-${id}`,
    source: 'placet/decisions',
    type: 'action.decided',
    subject: id,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data,
  });
}
