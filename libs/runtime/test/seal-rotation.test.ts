import { randomBytes } from 'node:crypto';
import type { NatsServer } from '@placet/embedded';
import { configBuckets, type Service } from '@placet/events';
import { createSealer, type SealKey } from '@placet/proof';
import { eventually, releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { openRoles } from './config-support.ts';
import { systemEvents } from './support.ts';

releaseAfterEach();

const newKey = (id: string): SealKey => ({ id, secret: randomBytes(32) });
const [k1, k2] = [newKey('k1'), newKey('k2')];
const bucket = configBuckets.agents;

/** A service that starts with these keys, of which the first makes the seals. */
async function started(
  server: NatsServer,
  [current, ...accepted]: [SealKey, ...SealKey[]],
  service: Service = 'gateway',
) {
  const b = await startTestBus(server, { service, sealer: createSealer({ current, accepted }) });
  return { b, store: await openRoles(b) };
}

/** Two values, of which one was changed before, by a service that has ended since. */
async function sealedWithTheFirst(server: NatsServer): Promise<void> {
  const { store, b } = await started(server, [k1]);
  const first = await store.put('support', { role: 'a' }, { by: 'dana', expected: 0 });
  await store.put('support', { role: 'b' }, { by: 'dana', expected: first });
  await store.put('sales', { role: 'c' }, { by: 'dana', expected: 0 });
  await b.resources.close();
}

test('what was sealed with the key before is sealed anew at a start, and needs the old key no more', async () => {
  const server = await startTestNats();
  await sealedWithTheFirst(server);
  const { store, b } = await started(server, [k2, k1]);
  const valid = { status: 'valid', by: 'service:gateway', why: 'sealed with the new key' };
  expect(store.get('support')).toMatchObject({ ...valid, value: { role: 'b' }, revision: 4 });
  expect(store.get('sales')).toMatchObject({ ...valid, value: { role: 'c' }, revision: 5 });

  const without = await started(server, [k2]);
  expect(without.store.all()).toEqual(store.all());
  // Old revisions that nobody can check any more have been replaced: that is no alarm.
  const marker = { kind: 'events_missed', about: 'marker', message: 'The last that is told.' } as const;
  await without.b.alarm(marker);
  expect((await systemEvents(b, 'alarm.raised')).map(({ data }) => data.message)).toEqual([
    'The last that is told.',
  ]);
});

test('it is sealed anew once, by however many that start, and not by who may not change it', async () => {
  const server = await startTestNats();
  await sealedWithTheFirst(server);
  const reader = await started(server, [k2, k1], 'policy');
  expect(reader.store.get('support')).toMatchObject({ status: 'valid', revision: 2 });
  await Promise.all([1, 2, 3].map(() => started(server, [k2, k1])));
  await started(server, [k2, k1]);
  const { state } = await reader.b.context.jsm.streams.info(`KV_${bucket}`);
  expect(state.last_seq).toBe(5);
});

test('with the old key first nothing is sealed anew', async () => {
  const server = await startTestNats();
  await sealedWithTheFirst(server);
  const { b } = await started(server, [k1, k2]);
  expect((await b.context.jsm.streams.info(`KV_${bucket}`)).state.last_seq).toBe(3);
});

test('a current value whose seal is of a key that is no longer known is not believed, and an alarm', async () => {
  const server = await startTestNats();
  await sealedWithTheFirst(server);
  const { store, b } = await started(server, [k2]);
  expect(store.get('support')).toMatchObject({ status: 'forged' });
  await eventually(async () => {
    const raised = await systemEvents(b, 'alarm.raised');
    expect(
      raised.map(({ data }) => [data.kind, data.details?.['key'], data.details?.['revision']]).toSorted(),
    ).toEqual([
      ['configuration_forged', 'sales', '3'],
      ['configuration_forged', 'support', '2'],
    ]);
  });
});

test('a value whose past was taken away is an alarm at the next start', async () => {
  const server = await startTestNats();
  await sealedWithTheFirst(server);
  const thief = await started(server, [k1], 'policy');
  const { jsm } = thief.b.context;
  const { config } = await jsm.streams.info(`KV_${bucket}`);
  await jsm.streams.update(config.name, { ...config, max_msgs_per_subject: 1 });
  await jsm.streams.update(config.name, config);
  const { b } = await started(server, [k1]);
  const alarms = await eventually(async () => {
    const raised = await systemEvents(b, 'alarm.raised');
    expect(raised).toHaveLength(1);
    return raised;
  });
  expect(alarms[0]?.data).toMatchObject({
    kind: 'configuration_forged',
    details: { bucket, key: 'support' },
  });
});

test('a value that has been changed more often than a bucket keeps revisions is none', async () => {
  const server = await startTestNats();
  const { store } = await started(server, [k1]);
  let expected = 0;
  for (let n = 0; n < 70; n++)
    expected = await store.put('support', { role: `r${n}` }, { by: 'dana', expected });
  const { b } = await started(server, [k1]);
  const marker = { kind: 'events_missed', about: 'marker', message: 'The last that is told.' } as const;
  await b.alarm(marker);
  expect((await systemEvents(b, 'alarm.raised')).map(({ data }) => data.message)).toEqual([
    'The last that is told.',
  ]);
});
