import { randomBytes } from 'node:crypto';
import { bucketStreamName, configBuckets } from '@placet/events';
import { createSealer, type SealKey } from '@placet/proof';
import { eventually, releaseAfterEach, startTestBus, startTestNats, testSealer } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import type { ConfigEntry } from '../config-entry.ts';
import { Unavailable } from '../errors.ts';
import { configHistory } from '../streams-wanted.ts';
import { openRoles, type Role } from './config-support.ts';
import { startBus, startTwo } from './support.ts';

releaseAfterEach();

const bucket = configBuckets.agents;
const stream = bucketStreamName(bucket);
const roleOf = (entry: ConfigEntry<Role>) => (entry.status === 'valid' ? entry.value.role : entry.problem);

/** A value that was changed three times, and another one in between. */
async function start() {
  const b = await startBus({ service: 'gateway' });
  const store = await openRoles(b);
  const first = await store.put('support', { role: 'a' }, { by: 'dana', why: 'new', expected: 0 });
  await store.put('other', { role: 'x' }, { by: 'dana', expected: 0 });
  const second = await store.put('support', { role: 'b' }, { by: 'erik', expected: first });
  const third = await store.put('support', { role: 'c' }, { by: 'dana', expected: second });
  const write = (text: string) => b.context.js.publish(`$KV.${bucket}.support`, text);
  const stored = async (seq: number) => (await b.context.jsm.streams.getMessage(stream, { seq }))?.string();
  return { b, store, revisions: [first, second, third] as const, write, stored };
}

const keyNamed = (id: string): SealKey => ({ id, secret: randomBytes(32) });

const isSeen = (store: Awaited<ReturnType<typeof openRoles>>, revision: number) =>
  eventually(() => expect(store.get('support')).toMatchObject({ revision }));

describe('the history of a value', () => {
  test('is every revision of its own, oldest first, with who, when and why', async () => {
    const { store, revisions } = await start();

    const history = await store.history('support');

    expect(history.map(({ revision }) => revision)).toEqual(revisions);
    expect(history.map(roleOf)).toEqual(['a', 'b', 'c']);
    expect(history[0]).toMatchObject({ status: 'valid', by: 'dana', why: 'new', at: expect.any(String) });
    expect(history[1]).toMatchObject({ status: 'valid', by: 'erik' });
    expect(history[2]).toEqual(store.get('support'));
  });

  test('of a key that there is none of is empty', async () => {
    const { store } = await start();
    expect(await store.history('nobody')).toEqual([]);
    expect(await store.history('>')).toEqual([]);
  });

  test('goes back as far as a bucket keeps revisions', async () => {
    const [one, other] = await startTwo();
    const [here, there] = [await openRoles(one), await openRoles(other)];
    let expected = 0;
    for (let n = 1; n <= configHistory + 6; n++)
      expected = await here.put('support', { role: `r${n}` }, { by: 'dana', expected });

    for (const store of [here, there]) {
      await isSeen(store, expected);
      const history = await store.history('support');
      expect(history).toHaveLength(configHistory);
      expect(history.map(roleOf)).toEqual(history.map((_, i) => `r${i + 7}`));
    }
  });

  test('shows what does not carry our seal as forged, in its place, and what is ours around it', async () => {
    const { store, revisions, write } = await start();
    const { seq } = await write(JSON.stringify({ value: { role: 'owner' }, by: 'eve', replaces: 4 }));
    await isSeen(store, seq);
    const healed = await store.put('support', { role: 'd' }, { by: 'dana', expected: seq });

    const history = await store.history('support');

    expect(history.map(({ revision }) => revision)).toEqual([...revisions, seq, healed]);
    expect(history.map(({ status }) => status)).toEqual(['valid', 'valid', 'valid', 'forged', 'valid']);
    expect(history[3]).toEqual({
      status: 'forged',
      key: 'support',
      revision: seq,
      problem: 'the value does not carry our seal',
    });
  });

  test('shows an old value that was put back as forged, and the same value in its first place as ours', async () => {
    const { store, revisions, write, stored } = await start();
    const { seq } = await write((await stored(revisions[0])) ?? '');
    await isSeen(store, seq);

    const history = await store.history('support');

    expect(history.map(({ status }) => status)).toEqual(['valid', 'valid', 'valid', 'forged']);
    expect(history[0]?.revision).toBe(revisions[0]);
    expect(history[3]).toMatchObject({ problem: expect.stringContaining('an old one put back') });
  });

  test('does not believe an old value that is all that is left, where it was seen to be put back', async () => {
    const { b, store, revisions, write, stored } = await start();
    const { config } = await b.context.jsm.streams.info(stream);
    await b.context.jsm.streams.update(stream, { ...config, max_msgs_per_subject: 1 });
    const { seq } = await write((await stored(revisions[2])) ?? '');
    await isSeen(store, seq);

    expect(await store.history('support')).toEqual([
      expect.objectContaining({ status: 'forged', revision: seq }),
    ]);
  });

  test('is believed as long as the key of its seals is accepted', async () => {
    const server = await startTestNats();
    const [old, next] = [keyNamed('k1'), keyNamed('k2')];
    const open = async (current: SealKey, accepted: SealKey[]) => {
      const sealer = createSealer({ current, accepted });
      return openRoles(await startTestBus(server, { service: 'gateway', sealer }));
    };
    const before = await open(old, []);
    await before.put('support', { role: 'a' }, { by: 'dana', expected: 0 });

    const rotating = await open(next, [old]);
    const both = await rotating.history('support');
    const after = await (await open(next, [])).history('support');

    expect(both.map(({ status }) => status)).toEqual(['valid', 'valid']);
    expect(both[1]).toMatchObject({ value: { role: 'a' }, why: 'sealed with the new key' });
    expect(after.map(({ status }) => status)).toEqual(['forged', 'valid']);
  });

  test('leaves no consumer with the broker', async () => {
    const { b, store } = await start();
    const count = async () => (await b.context.jsm.streams.info(stream)).state.consumer_count;
    const before = await count();

    await Promise.all(Array.from({ length: 10 }, () => store.history('support')));

    await eventually(async () => expect(await count()).toBe(before));
  });
});

describe('Fail closed: a history that cannot be read as a whole is Unavailable, in bounded time', () => {
  test('without a broker', async () => {
    const server = await startTestNats();
    const b = await startTestBus(server, { service: 'gateway', sealer: testSealer() });
    const store = await openRoles(b);
    await store.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
    await server.stop();

    await expect(store.history('support')).rejects.toBeInstanceOf(Unavailable);
    expect(store.get('support')).toMatchObject({ status: 'valid' });
  });

  test('where the broker has less than was seen before', async () => {
    const { b, store } = await start();
    const { config } = await b.context.jsm.streams.info(stream);
    await b.context.jsm.streams.delete(stream);
    await b.context.jsm.streams.add(config);

    await expect(store.history('support')).rejects.toBeInstanceOf(Unavailable);
  });

  test('where the answer breaks off in the middle', async () => {
    const { b, store } = await start();
    const { jsm, js } = b.context;
    // The consumer is gone before it has delivered any of the three revisions that it said were there.
    const make = js.consumers.getPushConsumer.bind(js.consumers);
    js.consumers.getPushConsumer = async (...args: Parameters<typeof make>) => {
      const consumer = await make(...args);
      const { name, num_pending } = await consumer.info(true);
      expect(num_pending).toBe(3);
      await jsm.consumers.delete(stream, name);
      return consumer;
    };

    await expect(store.history('support')).rejects.toBeInstanceOf(Unavailable);
  });
});
