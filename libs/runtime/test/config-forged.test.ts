import { headers } from '@nats-io/transport-node';
import { configBuckets } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  startTestBus,
  startTestNats,
  type TestBus,
  testSealer,
} from '@placet/testing';
import { describe, expect, test } from 'vitest';
import type { ConfigStore } from '../config-store.ts';
import { openRoles, type Role } from './config-support.ts';
import { startBus, systemEvents } from './support.ts';

releaseAfterEach();

const bucket = configBuckets.agents;
const subject = `$KV.${bucket}.support`;

/** Writes into the bucket as somebody does who reached the broker. */
async function write({ context }: TestBus, text: string, operation?: string): Promise<void> {
  const h = headers();
  if (operation) h.set('KV-Operation', operation);
  await context.js.publish(subject, text, { headers: h });
}

async function stored({ context }: TestBus, of: string, seq: number): Promise<string> {
  const message = await context.jsm.streams.getMessage(`KV_${of}`, { seq });
  return message?.string() ?? '';
}

async function start() {
  const server = await startTestNats();
  const sealer = testSealer();
  const b = await startTestBus(server, { service: 'gateway', sealer });
  const store = await openRoles(b);
  const first = await store.put('support', { role: 'admin' }, { by: 'dana', expected: 0 });
  const second = await store.put('support', { role: 'reader' }, { by: 'dana', expected: first });
  const later = async () => openRoles(await startTestBus(server, { service: 'policy', sealer }));
  return { b, store, first, second, later };
}

type Started = Awaited<ReturnType<typeof start>>;
const sealedAs = (b: TestBus, place: string, change: object) => {
  const body = JSON.stringify(change);
  return `${body.slice(0, -1)},"seal":"${b.context.sealer?.seal(place, body)}"}`;
};
const change = (replaces: number, value: unknown = { role: 'admin' }) => ({
  value,
  by: 'eve',
  at: new Date().toISOString(),
  replaces,
});

const forgeries: [string, (started: Started) => Promise<void>][] = [
  ['without a seal', ({ b, second }) => write(b, JSON.stringify(change(second)))],
  ['that is no JSON', ({ b }) => write(b, 'admin')],
  ['that is empty', ({ b }) => write(b, '')],
  [
    'sealed by another key of the same name',
    ({ b, second }) => {
      const eve = { ...b, context: { ...b.context, sealer: testSealer() } };
      return write(b, sealedAs(eve, `${bucket}.support`, change(second)));
    },
  ],
  ['that is the first one, put back', async ({ b, first }) => write(b, await stored(b, bucket, first))],
  [
    'that is the one before, put back over itself',
    async ({ b, second }) => write(b, await stored(b, bucket, second)),
  ],
  [
    'that was sealed for another key',
    async ({ b, store }) => {
      const other = await store.put('other', { role: 'admin' }, { by: 'dana', expected: 0 });
      await write(b, await stored(b, bucket, other));
    },
  ],
  [
    'that was sealed for another bucket',
    async ({ b, second }) => write(b, sealedAs(b, `${configBuckets.people}.support`, change(second))),
  ],
  [
    'changed after it was sealed',
    ({ b, second }) =>
      write(b, sealedAs(b, `${bucket}.support`, change(second)).replace('"role":"admin"', '"role":"owner"')),
  ],
  [
    'sealed, of another form',
    ({ b, second }) => write(b, sealedAs(b, `${bucket}.support`, { replaces: second })),
  ],
  [
    'sealed, with a value that does not fit',
    ({ b, second }) => write(b, sealedAs(b, `${bucket}.support`, change(second, { role: 7 }))),
  ],
  ['deleted', ({ b }) => write(b, '', 'DEL')],
  ['purged', ({ b }) => write(b, '', 'PURGE')],
  [
    'with our seal, and deleted by the same message',
    ({ b, second }) => write(b, sealedAs(b, `${bucket}.support`, change(second)), 'DEL'),
  ],
];

describe('Fail closed: a value of the configuration that is not our newest is forged', () => {
  test.each(forgeries)('one %s', async (_how, forge) => {
    const started = await start();
    const { b, store, later } = started;
    const told: string[] = [];
    store.onChange(({ key, status }) => told.push(`${key} ${status}`));
    await forge(started);
    await eventually(() => expect(store.get('support')).toMatchObject({ status: 'forged' }));
    expect(told).toContain('support forged');
    expect(store.get('support')).not.toHaveProperty('value');
    expect(store.all().filter(({ key }) => key === 'support')).toEqual([store.get('support')]);

    const alarms = await eventually(async () => {
      const raised = await systemEvents(b, 'alarm.raised');
      expect(raised).toHaveLength(1);
      return raised;
    });
    expect(alarms[0]?.data).toMatchObject({
      kind: 'configuration_forged',
      details: { bucket, key: 'support' },
    });

    const after = await later();
    expect(after.get('support')).toEqual(store.get('support'));
    await eventually(() => expect(after.get('support')).toMatchObject({ status: 'forged' }));
    expect(await systemEvents(b, 'alarm.raised')).toHaveLength(1);
  });

  test('also for who starts only then, and the first of all values', async () => {
    const b = await startBus();
    await write(b, JSON.stringify(change(0)));
    expect((await openRoles(b)).get('support')).toMatchObject({ status: 'forged' });
  });

  test.each([
    ['key', bucket, 'other'],
    ['bucket', configBuckets.people, 'support'],
  ])('a genuine value of another %s, put where there is none yet', async (_what, from, key) => {
    const b = await startBus();
    const revision = await (await openRoles(b, from)).put(
      key,
      { role: 'admin' },
      { by: 'dana', expected: 0 },
    );
    const store = await openRoles(b);
    await write(b, await stored(b, from, revision));
    await eventually(() => expect(store.get('support')).toMatchObject({ status: 'forged' }));
    expect(store.get('support')).toMatchObject({ problem: expect.stringContaining('seal') });
  });

  test('the past cannot be taken away, so that an old value would stand again', async () => {
    const { b, store, first, second, later } = await start();
    const old = await stored(b, bucket, first);
    await expect(b.context.jsm.streams.deleteMessage(`KV_${bucket}`, second)).rejects.toThrow();
    await expect(b.context.jsm.streams.purge(`KV_${bucket}`, { filter: subject })).rejects.toThrow();
    const rollup = headers();
    rollup.set('Nats-Rollup', 'sub');
    await expect(b.context.js.publish(subject, old, { headers: rollup })).rejects.toThrow();
    expect((await later()).get('support')).toEqual(store.get('support'));
    expect(store.get('support')).toMatchObject({ status: 'valid', value: { role: 'reader' } });
  });

  test('an old value put back as often as a bucket keeps revisions is still forged', async () => {
    const { b, store, first, later } = await start();
    const old = await stored(b, bucket, first);
    for (let n = 0; n < 70; n++) await write(b, old);
    expect((await later()).get('support')).toMatchObject({ status: 'forged' });
    await eventually(() => expect(store.get('support')).toMatchObject({ status: 'forged' }));
  });
});

describe('a proper change afterwards heals it', () => {
  test('for all, and only at the revision of what was forged', async () => {
    const { b, store, second, later } = await start();
    await write(b, 'admin');
    const forged = await eventually(() => {
      const entry = store.get('support');
      expect(entry).toMatchObject({ status: 'forged' });
      return entry as NonNullable<typeof entry>;
    });
    const put = (s: ConfigStore<Role>, expected: number) =>
      s.put('support', { role: 'reader' }, { by: 'dana', expected });
    await expect(put(store, second)).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
    const healed = await put(store, forged.revision);
    expect(store.get('support')).toMatchObject({ status: 'valid', revision: healed });
    expect((await later()).get('support')).toEqual(store.get('support'));
  });
});
