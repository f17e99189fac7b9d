import { headers } from '@nats-io/transport-node';
import { configBuckets, consumers, eventStream, eventStreamRules } from '@placet/events';
import {
  connectNats,
  createLogger,
  ensureStreams,
  type Nats,
  Resources,
  restartConsumer,
} from '@placet/runtime';
import { eventually, releaseAfterEach, releaseAfterTest, startTestNats } from '@placet/testing';
import { describe, expect, test } from 'vitest';

releaseAfterEach();

const sizes = { maxBytes: 64 * 2 ** 20, maxAgeMs: 86_400_000, replicas: 1 };

/** A broker and a connection, without any stream. */
async function connected(): Promise<Nats> {
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  const server = await startTestNats();
  releaseAfterTest('connection', () => resources.close());
  return connectNats({ ...server, name: 'deploy' }, logger, resources);
}

async function withStreams(): Promise<Nats> {
  const nats = await connected();
  await ensureStreams(nats, sizes);
  return nats;
}

const configOf = async (nats: Nats, stream: string) => (await nats.jsm.streams.info(stream)).config;

async function everything(nats: Nats) {
  const streams = [];
  for await (const { config } of nats.jsm.streams.list()) streams.push(config);
  const bound = [];
  for await (const { config } of nats.jsm.consumers.list(eventStream)) bound.push(config);
  return { streams, bound };
}

test('made twice is made once', async () => {
  const nats = await withStreams();
  const before = await everything(nats);
  await ensureStreams(nats, sizes);
  expect(await everything(nats)).toEqual(before);
  expect(before.streams.length).toBeGreaterThan(Object.keys(configBuckets).length + 2);
});

test('two that make them at once do not disturb each other', async () => {
  const nats = await connected();
  await Promise.all([ensureStreams(nats, sizes), ensureStreams(nats, sizes)]);
  expect(await configOf(nats, eventStream)).toMatchObject({ max_msgs_per_subject: 1, discard: 'new' });
});

test('every consumer exists, with its filters and nothing more', async () => {
  const nats = await withStreams();
  for (const { durable, filters, maxAckPending } of Object.values(consumers)) {
    const { config } = await nats.jsm.consumers.info(eventStream, durable);
    expect(config.filter_subjects ?? [config.filter_subject]).toEqual([...filters]);
    expect(config).toMatchObject({
      max_ack_pending: maxAckPending,
      ack_policy: 'explicit',
      deliver_policy: 'all',
    });
  }
});

test('limits are brought up to date, rules and messages stay', async () => {
  const nats = await withStreams();
  await nats.js.publish('placet.sys.alarm.raised.1', 'kept');
  await ensureStreams(nats, { ...sizes, maxBytes: 128 * 2 ** 20, maxAgeMs: 3_600_000, mayKeepLess: true });
  expect(await configOf(nats, eventStream)).toMatchObject({
    max_bytes: 128 * 2 ** 20,
    max_age: 3_600_000 * 1_000_000,
    max_msgs_per_subject: 1,
    deny_purge: true,
  });
  expect((await nats.jsm.streams.getMessage(eventStream, { seq: 1 }))?.string()).toBe('kept');
});

test.each([
  ['a shorter time', { maxAgeMs: 3_600_000 }, 'PLACET_STREAM_AGE is shorter'],
  ['less room than is taken', { maxBytes: 100 }, 'PLACET_STREAM_SIZE is smaller than what it holds'],
])('%s would forget, so it is refused until somebody says so', async (_what, less, reason) => {
  const nats = await withStreams();
  await nats.js.publish('placet.sys.alarm.raised.1', 'x'.repeat(200));
  await expect(ensureStreams(nats, { ...sizes, ...less })).rejects.toThrow(reason);
  expect(await configOf(nats, eventStream)).toMatchObject({ max_bytes: sizes.maxBytes });
});

test('a consumer that starts over gets everything again', async () => {
  const nats = await withStreams();
  const before = await nats.jsm.consumers.info(eventStream, consumers.policy.durable);
  expect(await restartConsumer(nats, consumers.policy)).not.toBe(String(before.created));
  const after = await nats.jsm.consumers.info(eventStream, consumers.policy.durable);
  expect(after.config).toEqual(before.config);
});

describe('a stream with weaker rules is refused, and the rule is named', () => {
  const strong = { ...eventStreamRules, subjects: [...eventStreamRules.subjects] };

  test.each([
    ['max_msgs_per_subject', { max_msgs_per_subject: 2 }],
    ['discard', { discard: 'old', discard_new_per_subject: false }],
    ['discard_new_per_subject', { discard_new_per_subject: false }],
    ['deny_delete', { deny_delete: false }],
    ['deny_purge', { deny_purge: false }],
    ['retention', { retention: 'interest' }],
    ['allow_msg_ttl', { allow_msg_ttl: true }],
  ] as const)('%s', async (rule, weaker) => {
    const nats = await connected();
    await nats.jsm.streams.add({ ...strong, ...weaker });
    await expect(ensureStreams(nats, sizes)).rejects.toThrow(
      new RegExp(`${eventStream} exists with ${rule} = .*weaker rules`),
    );
    expect((await configOf(nats, eventStream)).max_bytes).toBe(-1);
  });
});

describe('One action, one decision: the stream itself refuses, whatever a publisher forgets', () => {
  const subject = 'placet.act.support.act_1.action.decided';

  test('a second message on a subject, without any header', async () => {
    const nats = await withStreams();
    await nats.js.publish(subject, 'first');
    await expect(nats.js.publish(subject, 'second')).rejects.toMatchObject({ code: 10077 });
    const stored = await nats.jsm.streams.getMessage(eventStream, { last_by_subj: subject });
    expect(stored?.string()).toBe('first');
  });

  test('that a message is deleted, or all are, or rolled up', async () => {
    const nats = await withStreams();
    const { seq } = await nats.js.publish(subject, 'first');
    await expect(nats.jsm.streams.deleteMessage(eventStream, seq)).rejects.toThrow(/not permitted/);
    await expect(nats.jsm.streams.deleteMessage(eventStream, seq, false)).rejects.toThrow(/not permitted/);
    await expect(nats.jsm.streams.purge(eventStream)).rejects.toThrow(/not permitted/);
    await expect(nats.jsm.streams.purge(eventStream, { filter: subject })).rejects.toThrow(/not permitted/);
    for (const scope of ['sub', 'all']) {
      const rollup = headers();
      rollup.set('Nats-Rollup', scope);
      await expect(nats.js.publish(subject, 'second', { headers: rollup })).rejects.toThrow();
    }
    expect((await nats.jsm.streams.getMessage(eventStream, { seq }))?.string()).toBe('first');
  });

  test('that a message ends before its time', async () => {
    const nats = await withStreams();
    await expect(nats.js.publish(subject, 'short', { ttl: '1s' })).rejects.toThrow();
  });

  test('that its deny flags are lifted', async () => {
    const nats = await withStreams();
    const config = await configOf(nats, eventStream);
    for (const lifted of [{ deny_delete: false }, { deny_purge: false }]) {
      await expect(nats.jsm.streams.update(eventStream, { ...config, ...lifted })).rejects.toThrow(
        /can not cancel/,
      );
    }
    expect(await configOf(nats, eventStream)).toMatchObject({ deny_delete: true, deny_purge: true });
  });
});

describe('the past of the configuration stays as it was', () => {
  const bucket = `KV_${configBuckets.agents}`;
  const key = `$KV.${configBuckets.agents}.support`;

  test.each(Object.values(configBuckets))(
    '%s keeps 64 revisions a key and refuses rather than drops',
    async (name) => {
      const nats = await withStreams();
      expect(await configOf(nats, `KV_${name}`)).toMatchObject({
        max_msgs_per_subject: 64,
        discard: 'new',
        deny_delete: true,
        deny_purge: true,
        allow_rollup_hdrs: false,
      });
    },
  );

  test('no revision can be deleted, purged or rolled up, so that the one before it would stand again', async () => {
    const nats = await withStreams();
    await nats.js.publish(key, 'first');
    const { seq } = await nats.js.publish(key, 'second');
    await expect(nats.jsm.streams.deleteMessage(bucket, seq)).rejects.toThrow(/not permitted/);
    await expect(nats.jsm.streams.purge(bucket, { filter: key })).rejects.toThrow(/not permitted/);
    const rollup = headers();
    rollup.set('Nats-Rollup', 'sub');
    await expect(nats.js.publish(key, 'first', { headers: rollup })).rejects.toThrow();
    expect((await nats.jsm.streams.getMessage(bucket, { last_by_subj: key }))?.string()).toBe('second');
  });

  test('a bucket of before these rules gets them', async () => {
    const nats = await connected();
    await nats.jsm.streams.add({
      name: bucket,
      subjects: [`$KV.${configBuckets.agents}.>`],
      max_msgs_per_subject: 64,
      discard: 'new',
      allow_rollup_hdrs: true,
      allow_direct: true,
    });
    await nats.js.publish(key, 'kept');
    await ensureStreams(nats, sizes);
    expect(await configOf(nats, bucket)).toMatchObject({ deny_purge: true, allow_rollup_hdrs: false });
    expect((await nats.jsm.streams.getMessage(bucket, { last_by_subj: key }))?.string()).toBe('kept');
  });

  test('a kind of configuration that an older version had not is recorded from then on', async () => {
    const nats = await withStreams();
    const added = `KV_${configBuckets.webhooks}`;
    const before = await configOf(nats, 'PLACET_CONFIG');
    const sources = before.sources?.filter(({ name }) => name !== added) ?? [];
    await nats.jsm.streams.update('PLACET_CONFIG', { ...before, sources });
    await nats.jsm.streams.delete(added);
    await nats.js.publish(key, 'kept');
    await ensureStreams(nats, sizes);
    await nats.js.publish(`$KV.${configBuckets.webhooks}.wh_1`, 'recorded');
    await eventually(async () => {
      const { messages } = (await nats.jsm.streams.info('PLACET_CONFIG')).state;
      expect(messages).toBe(2);
    });
  });

  test('its changes lie in one stream that nobody empties', async () => {
    const nats = await withStreams();
    expect(await configOf(nats, 'PLACET_CONFIG')).toMatchObject({ deny_delete: true, deny_purge: true });
    expect((await configOf(nats, 'PLACET_CONFIG')).sources?.map(({ name }) => name)).toEqual(
      Object.values(configBuckets).map((name) => `KV_${name}`),
    );
  });
});
