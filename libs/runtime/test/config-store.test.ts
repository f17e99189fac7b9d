import { configBuckets } from '@placet/events';
import { eventually, releaseAfterEach, startTestBus, testSealer } from '@placet/testing';
import { expect, test } from 'vitest';
import type { ConfigEntry } from '../config-entry.ts';
import { openRoles, type Role } from './config-support.ts';
import { startBus, startRestartable, startTwo, systemEvents } from './support.ts';

releaseAfterEach();

test('what was put is read at once by who put it, with who, when and why', async () => {
  const store = await openRoles(await startBus());
  expect(store.get('support')).toBeUndefined();
  const revision = await store.put('support', { role: 'reader' }, { by: 'dana', why: 'new', expected: 0 });
  expect(store.get('support')).toEqual({
    status: 'valid',
    key: 'support',
    value: { role: 'reader' },
    revision,
    by: 'dana',
    why: 'new',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

test('all are listed, the newest revision of each', async () => {
  const store = await openRoles(await startBus());
  const first = await store.put('one', { role: 'a' }, { by: 'dana', expected: 0 });
  await store.put('two', { role: 'b' }, { by: 'dana', expected: 0 });
  await store.put('one', { role: 'c' }, { by: 'dana', expected: first });
  const valid = store
    .all()
    .flatMap((entry) => (entry.status === 'valid' ? [[entry.key, entry.value.role]] : []));
  expect(valid.sort()).toEqual([
    ['one', 'c'],
    ['two', 'b'],
  ]);
});

test('a change of a revision that is no longer the newest is a REVISION_CONFLICT, and changes nothing', async () => {
  const store = await openRoles(await startBus());
  const first = await store.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  const second = await store.put('support', { role: 'b' }, { by: 'dana', expected: first });
  for (const expected of [0, first, second + 1]) {
    await expect(store.put('support', { role: 'x' }, { by: 'eve', expected })).rejects.toMatchObject({
      code: 'REVISION_CONFLICT',
    });
  }
  expect(store.get('support')).toMatchObject({ revision: second, value: { role: 'b' } });
});

test('of many that make the same key at once, one wins', async () => {
  const [one, other] = await startTwo();
  const stores = [await openRoles(one), await openRoles(other)];
  const puts = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      stores[i % 2]?.put('support', { role: `r${i}` }, { by: 'x', expected: 0 }),
    ),
  );
  expect(puts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = puts.findIndex(({ status }) => status === 'fulfilled');
  for (const put of puts) {
    if (put.status === 'rejected') expect(put.reason).toMatchObject({ code: 'REVISION_CONFLICT' });
  }
  for (const store of stores) {
    await eventually(() => expect(store.get('support')).toMatchObject({ value: { role: `r${winner}` } }));
  }
});

test('two instances see what the other changes, in its order, and are told of it', async () => {
  const [one, other] = await startTwo();
  const [here, there] = [await openRoles(one), await openRoles(other)];
  const told: ConfigEntry<Role>[] = [];
  there.onChange((entry) => told.push(entry));
  let expected = 0;
  for (const role of ['a', 'b', 'c'])
    expected = await here.put('support', { role }, { by: 'dana', expected });
  await eventually(() =>
    expect(there.get('support')).toMatchObject({ status: 'valid', value: { role: 'c' } }),
  );
  expect(told.map((entry) => entry.status === 'valid' && entry.value.role)).toEqual(['a', 'b', 'c']);
  const last = await there.put('support', { role: 'd' }, { by: 'eve', expected });
  await eventually(() => expect(here.get('support')).toMatchObject({ revision: last, by: 'eve' }));
});

test('who starts later begins with what is there, after more changes than a bucket keeps', async () => {
  const [one, other] = await startTwo();
  const here = await openRoles(one);
  let expected = 0;
  for (let n = 1; n <= 70; n++)
    expected = await here.put('support', { role: `r${n}` }, { by: 'dana', expected });
  const there = await openRoles(other);
  expect(there.get('support')).toEqual(here.get('support'));
  expect(there.get('support')).toMatchObject({ status: 'valid', value: { role: 'r70' } });
});

test('a listener that throws keeps nobody from reading on', async () => {
  const store = await openRoles(await startBus());
  store.onChange(({ key }) => {
    if (key === 'bad') throw new Error('a listener of its own');
  });
  await store.put('bad', { role: 'a' }, { by: 'dana', expected: 0 });
  await store.put('good', { role: 'b' }, { by: 'dana', expected: 0 });
  expect(store.get('good')).toMatchObject({ status: 'valid' });
});

test('it survives a restart of the broker: nothing is lost, and changes are seen again', async () => {
  const { server, restart } = await startRestartable();
  const sealer = testSealer();
  const [one, other] = [
    await startTestBus(server, { service: 'gateway', sealer }),
    await startTestBus(server, { service: 'policy', sealer }),
  ];
  const [here, there] = [await openRoles(one), await openRoles(other)];
  const first = await here.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  await restart();
  expect(here.get('support')).toMatchObject({ status: 'valid', revision: first });
  const second = await eventually(() => here.put('support', { role: 'b' }, { by: 'dana', expected: first }));
  expect(here.get('support')).toMatchObject({ revision: second, value: { role: 'b' } });
  await eventually(() =>
    expect(there.get('support')).toMatchObject({ revision: second, value: { role: 'b' } }),
  );
});

test('who holds no key reads the configuration and cannot change it', async () => {
  const [one, other] = await startTwo();
  const here = await openRoles(one);
  await here.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  const keyless = await openRoles({ ...other, context: { ...other.context, sealer: null } });
  expect(keyless.get('support')).toMatchObject({ status: 'valid', value: { role: 'a' } });
  await expect(keyless.put('support', { role: 'b' }, { by: 'eve', expected: 1 })).rejects.toThrow(
    /holds no key/,
  );
});

test('the broker keeps the value readable, with its seal', async () => {
  const b = await startBus();
  const store = await openRoles(b);
  await store.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  const message = await b.context.jsm.streams.getMessage(`KV_${configBuckets.agents}`, { seq: 1 });
  expect(message?.json()).toEqual({
    value: { role: 'a' },
    by: 'dana',
    at: expect.any(String),
    replaces: 0,
    seal: expect.any(String),
  });
});

test('a change that an instance was not told of is an alarm, and is read all the same', async () => {
  const [one, other] = await startTwo();
  const [here, there] = [await openRoles(one), await openRoles(other, configBuckets.agents, 200)];
  const first = await here.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  await eventually(() => expect(there.get('support')).toMatchObject({ value: { role: 'a' } }));
  const stream = `KV_${configBuckets.agents}`;
  for (const { name } of await one.context.jsm.consumers.list(stream).next()) {
    await one.context.jsm.consumers.pause(stream, name, new Date(Date.now() + 3_600_000));
  }
  void here.put('support', { role: 'b' }, { by: 'dana', expected: first });
  await eventually(() => expect(there.get('support')).toMatchObject({ value: { role: 'b' } }));
  await eventually(async () => {
    const alarms = await systemEvents(one, 'alarm.raised');
    expect(alarms.map(({ data }) => data.kind)).toContain('configuration_missed');
  });
});
