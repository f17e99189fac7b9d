import { consumers } from '@placet/events';
import { restartConsumer } from '@placet/runtime';
import { type Client, eventually, releaseAfterEach, startTestCluster } from '@placet/testing';
import { MongoClient } from 'mongodb';
import { expect, test } from 'vitest';
import { webhookReceiver, wholeRecord } from '../support.ts';
import { expectOneOfEach, items, policy, startLoad } from './load.ts';
import { deployer, doorsOf, expectRecorded, expectWorkedOff, lastSeq, ownMongo, upTo } from './support.ts';

releaseAfterEach();

test('everything delivered again to services that have forgotten everything makes what was there before', async () => {
  const mongodbUrl = await ownMongo();
  const { received, env } = await webhookReceiver();
  const cluster = await startTestCluster({ policy, mongodbUrl, env: { notifier: env } });
  const { jsm } = await deployer(cluster);
  const load = startLoad(doorsOf(cluster), items('once', 60));
  await load.done;
  for (const n of upTo(5)) await cluster.agent.check({ action_name: 'hold.open', payload: { n } });
  await expectOneOfEach(jsm, cluster, load.told, ['notification.sent', 'notification.sent']);
  await expectStored();
  const before = await everything();
  const requests = received.length;

  const forgetful = cluster.services.filter(({ service }) => service !== 'gateway');
  for (const process of forgetful) await process.end();
  for (const spec of Object.values(consumers)) await restartConsumer({ jsm }, spec);
  await forgetStores(mongodbUrl);
  for (const process of forgetful) await process.start();

  await expectWorkedOff(jsm, [consumers.policy, consumers.notifierWebhook]);
  await expectStored();
  expect(await everything()).toEqual(before);
  expect(received).toHaveLength(requests);

  /** The outcomes are as far as the stream: what is listed last is the newest that was held. */
  async function expectStored(): Promise<void> {
    await eventually(async () => {
      const pending = await cluster.admin.get('/v1/approvals?status=pending');
      expect(pending.body.approvals).toHaveLength(5);
      const decided = await cluster.admin.get('/v1/approvals?status=decided');
      expect(decided.body.approvals).toHaveLength(30);
    }, 30_000);
    await expectRecorded(jsm, cluster.admin);
  }

  async function everything() {
    return {
      stream: await expectRecorded(jsm, cluster.admin),
      lastSeq: await lastSeq(jsm),
      answers: await Promise.all(
        load.told.map(async ({ answers }) => (await cluster.agent.answer(answers[0].action_id)).body),
      ),
      approvals: (await cluster.admin.get('/v1/approvals?status=all')).body,
      record: await recordOf(cluster.admin),
    };
  }
}, 300_000);

/** What is on the record of each stream, in that stream's order; when it was recorded, and between which others, may differ. */
async function recordOf(admin: Client) {
  const records = await wholeRecord({ admin });
  const of = (name: string) =>
    records
      .filter(({ stream }) => stream === name)
      .map(({ stream, seq, type, id, subject, body }) => ({ stream, seq, type, id, subject, body }));
  return { events: of('PLACET'), configuration: of('PLACET_CONFIG') };
}

async function forgetStores(url: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    for (const name of ['placet_decisions', 'placet_audit']) await client.db(name).dropDatabase();
  } finally {
    await client.close();
  }
}
