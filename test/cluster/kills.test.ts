import { join } from 'node:path';
import { openSqliteOutcomeStore } from '@placet/decisions-service/sqlite-store.ts';
import type { PlacetEvent } from '@placet/events';
import { releaseAfterEach, startTestCluster, type TestCluster } from '@placet/testing';
import { expect, test } from 'vitest';
import { webhookReceiver } from '../support.ts';
import { expectOneOfEach, expectToldTheSame, items, policy, startLoad, type Told } from './load.ts';
import { deployer, doorsOf, ofType } from './support.ts';

releaseAfterEach();

const checks = 1000;

/** The notifier comes first: what it was sending when it died is due again last. */
const victims = ['notifier', 'policy', 'decisions', 'audit', 'gateway', 'broker'] as const;
type Victim = (typeof victims)[number];

test('a thousand checks while each process in turn is killed with -9: nothing lost, nothing twice', async () => {
  const { received, env } = await webhookReceiver();
  const cluster = await startTestCluster({
    policy,
    env: { gateway: { PLACET_VERDICT_WAIT: '500ms' }, notifier: env },
  });
  const doors = doorsOf(cluster);
  const { jsm } = await deployer(cluster);
  const told: Told[] = [];

  for (const victim of victims) {
    const load = startLoad(doors, items(victim, Math.ceil(checks / victims.length)));
    await load.moreAnswers(30);
    await killAndStart(cluster, victim);
    await load.done;
    told.push(...load.told);
  }

  expect(told.length).toBeGreaterThanOrEqual(checks);
  await expectToldTheSame(doors, told);
  const actions = await expectOneOfEach(jsm, cluster, told, ['notification.sent', 'notification.sent']);
  expect(actions.size).toBe(told.length);
  const announcements = [...actions.values()].flatMap((events) => [
    ...ofType(events, 'approval.needed'),
    ...ofType(events, 'approval.closed'),
  ]);
  // One that was sent as the notifier died is sent again, under the same id.
  expect(new Set(received.map(({ body }) => body.id))).toEqual(new Set(announcements.map(({ id }) => id)));
  await expectStored(cluster, actions);
}, 300_000);

async function killAndStart(cluster: TestCluster, victim: Victim): Promise<void> {
  const [process] = victim === 'broker' ? cluster.brokers : cluster.of(victim);
  const pid = process?.pid();
  expect(pid).toBeGreaterThan(0);
  await process?.end('SIGKILL');
  await process?.start();
  expect(process?.pid()).not.toBe(pid);
}

/** The decisions service's store holds the stream's decisions, and nothing is open. */
async function expectStored(cluster: TestCluster, actions: Map<string, PlacetEvent[]>): Promise<void> {
  for (const process of cluster.of('decisions')) await process.end();
  const store = openSqliteOutcomeStore(join(cluster.dir, 'decisions.sqlite'));
  try {
    expect(await store.countOpen()).toEqual({ held: 0, undecided: 0 });
    for (const [id, events] of actions) {
      const known = (await store.get(id))?.events.map(({ event }) => event);
      expect(ofType(known, 'action.decided')).toEqual(ofType(events, 'action.decided'));
    }
  } finally {
    await store.close();
  }
}
