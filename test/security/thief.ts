import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { apiPrefixOf, type Service } from '@placet/events';
import { eventually, releaseAfterTest, type TestCluster } from '@placet/testing';
import { expect } from 'vitest';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';

/**
 * JetStream answers to whatever subject a request names, and does not ask whether the requester may publish there. So
 * whoever has stolen the password of a service that may store anything at all can have it sent to any subject of the
 * account.
 */
export type Thief = {
  /** Has a text of its own choice delivered to a subject to which it may not publish. */
  send(to: string, text: string): Promise<void>;
  nc: NatsConnection;
};

let stored = 0;

/** Whoever has the password of a service on the broker, and neither its seal key nor its signing key. */
export async function thiefOf(cluster: TestCluster, user: Service): Promise<Thief> {
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
      nc.publish(`${apiPrefixOf(user)}.DIRECT.GET.PLACET`, JSON.stringify({ last_by_subj: place }), {
        reply: to,
      });
      await nc.flush();
    },
  };
}

export async function connectAs(cluster: TestCluster, user: string): Promise<NatsConnection> {
  const pass = readFileSync(join(cluster.secretsDir, secretFiles.natsPassword(user)), 'utf8').trim();
  const nc = await connect({ servers: cluster.natsUrl, user, pass, inboxPrefix: `_INBOX_${user}` });
  releaseAfterTest(`connection of ${user}`, () => nc.close());
  return nc;
}

async function alarmsOf({ admin }: TestCluster): Promise<string[]> {
  const kinds: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await admin.get(`/v1/audit?type=alarm.raised&limit=200${cursor}`);
    for (const { type, body: text } of body.records) {
      if (type === 'alarm.raised') kinds.push(JSON.parse(text).data?.kind);
    }
    if (body.next === null) return kinds;
    cursor = `&cursor=${body.next}`;
  }
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

const kinds = ['wrong_seal', 'configuration_forged'] as const;
/** How often each kind of alarm stands on the record, in the metrics and in the logs. */
export type AlarmCounts = Record<(typeof kinds)[number], readonly [number, number, number]>;

export async function alarmCounts(cluster: TestCluster): Promise<AlarmCounts> {
  const onRecord = await alarmsOf(cluster);
  const logs = cluster.services.map(({ log }) => readFileSync(log, 'utf8')).join('');
  const countOf = async (kind: string) =>
    [
      onRecord.filter((one) => one === kind).length,
      await alarmMetrics(cluster, kind),
      logs.split(`"alarm":"${kind}"`).length - 1,
    ] as const;
  const [wrong_seal, configuration_forged] = await Promise.all(kinds.map(countOf));
  if (!wrong_seal || !configuration_forged) throw new Error('an alarm was not counted');
  return { wrong_seal, configuration_forged };
}

/** An alarm is an event on the record, a metric and a line in a log: one more of each. */
export async function expectAlarm(
  cluster: TestCluster,
  kind: (typeof kinds)[number],
  before: AlarmCounts,
): Promise<void> {
  await eventually(async () => {
    const now = await alarmCounts(cluster);
    for (const [i, count] of now[kind].entries()) expect(count).toBeGreaterThan(before[kind][i] ?? 0);
  });
}

export function decisionOf(id: string) {
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

export function eventOf(id: string, data: object): string {
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
