import { type ConsumerInfo, jetstreamManager } from '@nats-io/jetstream';
import { apiPrefixOf, liveSubject, type Service, subjectFor } from '@placet/events';
import { eventually, releaseAfterLast, startTestCluster, type TestCluster } from '@placet/testing';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { held, policy } from '../support.ts';
import {
  type AlarmCounts,
  alarmCounts,
  connectAs,
  decisionOf,
  eventOf,
  expectAlarm,
  type Thief,
  thiefOf,
} from './thief.ts';

releaseAfterLast();

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ policy });
}, 120_000);

/** Who has a seal key works in the account of the streams: what is sent there arrives, and the seal refuses it. */
const sealed: readonly Service[] = ['gateway', 'policy', 'decisions'];

describe.each(['notifier', 'audit', 'gateway', 'policy', 'decisions'] as const)(
  'with the stolen password of the %s service on the broker',
  (user) => {
    let thief: Thief;
    let before: AlarmCounts;
    beforeAll(async () => {
      thief = await thiefOf(cluster, user);
    });
    beforeEach(async () => {
      before = await alarmCounts(cluster);
    });

    /** What arrives is refused by its seal. What ends in its own account was stored before, as an event that is none. */
    const noticed = (kind: keyof AlarmCounts) =>
      expectAlarm(cluster, sealed.includes(user) ? kind : 'wrong_seal', before);

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
      await noticed('wrong_seal');
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
      await thief.send(`$KV.placet-people.mallory-${user}`, JSON.stringify(value));
      await noticed('configuration_forged');
      const { body } = await cluster.admin.get('/v1/people');
      expect(JSON.stringify(body)).not.toContain('mallory');
    });

    test('a decision in its place allows nobody', async () => {
      const id = await held(cluster);
      const data = decisionOf(id);
      await thief.send(subjectFor('action.decided', data), eventOf(id, data));
      await noticed('wrong_seal');
      if (sealed.includes(user)) {
        // Its subject is taken for good, so this action can only be denied.
        expect((await cluster.agent.answer(id, '?wait=30')).body.decision).toBe('denied');
      } else {
        expect((await cluster.agent.answer(id)).body.decision).toBe('pending');
        expect((await cluster.admin.vote(id, { vote: 'reject' })).body.decision).toBe('denied');
      }
    });

    test('a live message that was never stored allows nobody', async () => {
      const id = await held(cluster);
      const waiting = cluster.agent.answer(id, '?wait=2');
      const data = decisionOf(id);
      await thief.send(liveSubject(subjectFor('action.decided', data)), eventOf(id, data));
      expect((await waiting).body.decision).toBe('pending');
      await noticed('wrong_seal');
      expect((await cluster.admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    });
  },
);

describe.each(['notifier', 'audit'] as const)('with the stolen password of the %s service', (user) => {
  test('neither a stream nor a consumer can be changed or deleted', async () => {
    const thief = await thiefOf(cluster, user);
    const jsm = await jetstreamManager(await connectAs(cluster, 'deploy'));
    const before = await brokerState(jsm);
    await thief.send('$JS.API.CONSUMER.DELETE.PLACET.policy', '');
    await thief.send(
      '$JS.API.CONSUMER.PAUSE.PLACET.policy',
      JSON.stringify({ pause_until: '2099-01-01T00:00:00Z' }),
    );
    await thief.send(
      '$JS.API.STREAM.UPDATE.PLACET',
      JSON.stringify({ ...before.config, max_age: 1_000_000_000 }),
    );
    await thief.send('$JS.API.STREAM.DELETE.KV_placet-people', '');
    await thief.send('$JS.API.STREAM.CREATE.MINE', JSON.stringify({ name: 'MINE', subjects: ['mine.>'] }));
    await thief.send(
      '$JS.API.CONSUMER.MSG.NEXT.PLACET.policy',
      JSON.stringify({ batch: 100, expires: 60_000_000_000 }),
    );
    expect((await cluster.agent.check({ action_name: 'read.mail', payload: {} })).body.decision).toBe(
      'allowed',
    );
    expect(await brokerState(jsm)).toEqual(before);
  });
});

test('what the consumer of the notifier delivers reaches nobody but the notifier', async () => {
  const id = await held(cluster);
  const decisions = await connectAs(cluster, 'decisions');
  const heard: string[] = [];
  decisions.subscribe('placetrpc.decisions.vote', {
    callback: (_error, message) => void heard.push(message.string()),
  });
  await decisions.flush();
  const { nc } = await thiefOf(cluster, 'notifier');
  const jsm = await jetstreamManager(await connectAs(cluster, 'deploy'));
  const delivered = async () =>
    (await jsm.consumers.info('PLACET', 'notifier-webhook')).delivered.consumer_seq;
  const before = await delivered();

  for (const reply of ['$JS.API.CONSUMER.DELETE.PLACET.policy', 'placetrpc.decisions.vote']) {
    nc.publish(
      `${apiPrefixOf('notifier')}.CONSUMER.MSG.NEXT.PLACET.notifier-webhook`,
      JSON.stringify({ batch: 1, no_wait: true }),
      { reply },
    );
  }
  await eventually(async () => expect(await delivered()).toBeGreaterThan(before));
  expect((await cluster.admin.vote(id, { vote: 'reject' })).body.decision).toBe('denied');
  // The vote of a person came after them, and is all that was heard.
  await eventually(() => expect(heard).toHaveLength(1));
  expect(heard[0]).toContain(id);
  expect((await jsm.consumers.info('PLACET', 'policy')).name).toBe('policy');
});

async function brokerState(jsm: Awaited<ReturnType<typeof jetstreamManager>>) {
  const names: string[] = [];
  for await (const { config } of jsm.streams.list()) names.push(config.name);
  const paused = ({ paused = false, config }: ConsumerInfo) => ({ paused, config });
  return {
    names: names.toSorted(),
    config: (await jsm.streams.info('PLACET')).config,
    policy: paused(await jsm.consumers.info('PLACET', 'policy')),
    notifier: paused(await jsm.consumers.info('PLACET', 'notifier-webhook')),
  };
}
