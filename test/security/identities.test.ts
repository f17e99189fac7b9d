import {
  bucketStreamName,
  configBuckets,
  deployPermissions,
  permissionsOf,
  type Service,
  services,
  subscriberPermissions,
} from '@placet/events';
import { openConfigStore } from '@placet/runtime';
import { eventually, releaseAfterEach } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { refusedToPublish, refusedToSubscribe, startGuardedBroker } from './support.ts';

releaseAfterEach();

/** One subject that the pattern matches. */
const concrete = (pattern: string) =>
  pattern
    .split('.')
    .map((token) => (token === '*' || token === '>' ? 'x1' : token))
    .join('.');

const matches = (pattern: string, subject: string): boolean => {
  const [p, s] = [pattern.split('.'), subject.split('.')];
  const end = p.indexOf('>');
  if (end >= 0 ? s.length <= end : s.length !== p.length) return false;
  return p.every((token, i) => token === '*' || token === '>' || i >= s.length || token === s[i]);
};
const isAllowed = (patterns: string[], subject: string) => patterns.some((p) => matches(p, subject));

const others = (service: Service) => services.filter((other) => other !== service);

describe('the user of each service on the broker', () => {
  test.each(services)('%s is refused every subject that only others may publish to', async (service) => {
    const broker = await startGuardedBroker();
    const own = permissionsOf(service).publish;
    const foreign = [
      ...others(service).flatMap((other) => permissionsOf(other).publish),
      '$JS.API.STREAM.CREATE.X',
    ]
      .map(concrete)
      .filter((subject, i, all) => !isAllowed(own, subject) && all.indexOf(subject) === i);
    expect(foreign.length).toBeGreaterThan(10);
    const refused = await refusedToPublish(await broker.as(service), foreign);
    expect(refused.toSorted()).toEqual(foreign.toSorted());
  });

  test.each(services)('%s hears nothing that is for others, nor everything', async (service) => {
    const broker = await startGuardedBroker();
    const own = permissionsOf(service).subscribe;
    const foreign = [
      ...others(service).flatMap((other) => permissionsOf(other).subscribe),
      '>',
      'placet.>',
      'placetlive.>',
      '_INBOX.>',
      '$KV.>',
      '$JS.>',
    ].filter((subject, i, all) => !own.includes(subject) && all.indexOf(subject) === i);
    const refused = await refusedToSubscribe(await broker.as(service), foreign);
    expect(refused.toSorted()).toEqual(foreign.toSorted());
  });

  test.each(services)('%s may do what its code does', async (service) => {
    const broker = await startGuardedBroker();
    const { publish, subscribe } = permissionsOf(service);
    const nc = await broker.as(service);
    expect(await refusedToPublish(nc, publish.map(concrete))).toEqual([]);
    expect(await refusedToSubscribe(nc, subscribe)).toEqual([]);
  });

  test('nobody may make, change or delete a stream or a shared consumer', () => {
    const forbidden =
      /^\$JS\.API\.(STREAM\.(CREATE|UPDATE|DELETE|PURGE|MSG\.DELETE|RESTORE)|CONSUMER\.(CREATE|DURABLE|DELETE|PAUSE)\.PLACET)/;
    for (const service of services) {
      expect(permissionsOf(service).publish.filter((subject) => forbidden.test(subject))).toEqual([]);
    }
  });

  test('who holds no seal key may neither read at the leader nor make a consumer on any stream', () => {
    for (const service of ['notifier', 'audit'] as const) {
      const { publish } = permissionsOf(service);
      expect(publish.filter((subject) => /STREAM\.MSG\.GET\.PLACET|CONSUMER\.CREATE/.test(subject))).toEqual(
        [],
      );
    }
  });

  test('the gateway reads the history of a policy with what a follower may do, and leaves nothing behind', async () => {
    const broker = await startGuardedBroker();
    const context = await broker.contextOf('gateway');
    const { resources } = context;
    const bucket = configBuckets.policies;
    const store = await openConfigStore(context, async () => {}, resources, { bucket, schema: z.string() });
    const first = await store.put('default', 'a', { by: 'dana', expected: 0 });
    await store.put('default', 'b', { by: 'dana', expected: first });

    const history = await store.history('default');

    expect(history).toMatchObject([{ value: 'a' }, { value: 'b' }]);
    await eventually(async () => {
      const { state } = await context.jsm.streams.info(bucketStreamName(bucket));
      expect(state.consumer_count).toBe(1);
    });
  });

  test('without a password, or with a wrong one, nobody gets in', async () => {
    const { connect } = await import('@nats-io/transport-node');
    const broker = await startGuardedBroker();
    for (const login of [
      {},
      { user: 'gateway', pass: '' },
      { user: 'gateway', pass: 'x' },
      { user: 'root', pass: 'x' },
    ]) {
      await expect(connect({ servers: broker.url, reconnect: false, ...login })).rejects.toThrow(
        /uthorization/,
      );
    }
  });
});

describe('a subscriber', () => {
  test('follows decisions by its own consumer, and may do nothing else', async () => {
    const broker = await startGuardedBroker(['crm', 'billing']);
    const nc = await broker.as('subscriber-crm');
    const { publish, subscribe } = subscriberPermissions('crm');
    expect(await refusedToPublish(nc, publish.map(concrete))).toEqual([]);
    expect(await refusedToSubscribe(nc, subscribe)).toEqual([]);
    const foreign = [
      ...services.flatMap((service) => permissionsOf(service).publish),
      ...subscriberPermissions('billing').publish,
      ...deployPermissions.publish,
    ]
      .map(concrete)
      .filter((subject, i, all) => !isAllowed(publish, subject) && all.indexOf(subject) === i);
    expect((await refusedToPublish(nc, foreign)).toSorted()).toEqual(foreign.toSorted());
  });
});
