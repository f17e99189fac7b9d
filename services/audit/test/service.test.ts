import { join } from 'node:path';
import { nanos } from '@nats-io/transport-node';
import type { NatsServer } from '@placet/embedded';
import { eventStream, makeEvent } from '@placet/events';
import { createSigner, generateSigningKey } from '@placet/proof';
import { createLogger, createMetrics } from '@placet/runtime';
import {
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestBus,
  startTestNats,
  type TestBus,
  temporaryDirectory,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { startAuditService } from '../service.ts';
import { openSqliteAuditStore } from '../sqlite-store.ts';
import type { AuditStore } from '../store.ts';

releaseAfterEach();

const signer = createSigner(generateSigningKey());
const trusted = { keys: [signer.publicJwk] };

async function startAudit(server: NatsServer, path: string) {
  return startOn(server, await openSqliteAuditStore(path));
}

async function startOn(server: NatsServer, store: AuditStore) {
  const logger = createLogger({ level: 'silent' });
  const service = await startAuditService(
    { nats: server, sealer: null, logger, metrics: createMetrics() },
    { store, trusted },
  );
  releaseAfterTest('audit', () => service.close());
  return { service, store };
}

async function log({ bus }: TestBus, n: number) {
  const action_id = `act_${n.toString(16).padStart(32, '0')}`;
  const data = { action_id, agent: 'support', action_name: 'noted', outcome: 'success' } as const;
  const event = makeEvent('action.logged', { service: 'gateway', id: `log-${n}`, now: new Date(), data });
  await bus.note(event, action_id);
}

/** The stream lets go of all that it holds, as of what is too old. */
async function forget({ context: { jsm } }: TestBus) {
  const { config } = await jsm.streams.info(eventStream);
  const { max_age, duplicate_window } = config;
  await jsm.streams.update(eventStream, { max_age: nanos(200), duplicate_window: nanos(200) });
  await eventually(async () => expect((await jsm.streams.info(eventStream)).state.messages).toBe(0));
  await jsm.streams.update(eventStream, { max_age, duplicate_window });
}

const recorded = async (store: AuditStore, size: number) =>
  eventually(async () => {
    const head = await store.head();
    expect(head.size).toBe(size);
    return head;
  });

test('every message is recorded once and in order, also over restarts of the service and of the broker', async () => {
  const server = await startTestNats();
  const bus = await startTestBus(server);
  const path = join(temporaryDirectory(), 'audit.sqlite');
  const first = await startAudit(server, path);
  for (const n of [1, 2, 3]) await log(bus, n);
  await recorded(first.store, 3);
  await first.service.close();
  for (const n of [4, 5]) await log(bus, n);
  const second = await startAudit(server, path);
  await recorded(second.store, 5);
  const { records } = await second.store.query({ limit: 10 });
  expect(records.map(({ index, seq, id }) => [index, seq, id])).toEqual(
    [1, 2, 3, 4, 5].map((n) => [n - 1, n, `log-${n}`]),
  );
  expect(second.service.unready()).toEqual([]);
});

test.each([
  ['ends before it', 2],
  ['has gone on after it', 9],
])(
  'a stream that is not the one on the record (it %s) is an alarm, and nothing of it is recorded',
  async (_, length) => {
    const path = join(temporaryDirectory(), 'audit.sqlite');
    const original = await startTestNats();
    const bus = await startTestBus(original);
    const before = await startAudit(original, path);
    for (const n of [1, 2, 3, 4]) await log(bus, n);
    await recorded(before.store, 4);
    await before.service.close();

    const other = await startTestNats();
    const otherBus = await startTestBus(other);
    for (let n = 0; n < length; n++) await log(otherBus, 100 + n);
    const after = await startAudit(other, path);

    await eventually(() => expect(after.service.unready()[0]).toMatch(/not the one that was recorded/));
    await eventually(async () => {
      const alarm = await otherBus.context.jsm.streams.getMessage(eventStream, {
        last_by_subj: 'placet.sys.alarm.raised.*',
      });
      expect(alarm?.json()).toMatchObject({ data: { kind: 'record_conflict' } });
    });
    expect((await after.store.head()).size).toBe(4);
  },
);

test('what another one has recorded, and the stream let go of since, is not missed', async () => {
  const server = await startTestNats();
  const bus = await startTestBus(server);
  for (const n of [1, 2, 3]) await log(bus, n);
  const dir = temporaryDirectory();
  const other = await startAudit(server, join(dir, 'other.sqlite'));
  await recorded(other.store, 3);
  await other.service.close();
  await forget(bus);

  // It has looked when nothing was on the record yet, and nothing came since.
  const empty = await openSqliteAuditStore(join(dir, 'empty.sqlite'));
  const full = await openSqliteAuditStore(join(dir, 'other.sqlite'));
  releaseAfterTest('the record', () => full.close());
  let isFull = false;
  let heads = 0;
  const store = new Proxy(empty, {
    get(_, name: keyof AuditStore) {
      if (name === 'head') heads += 1;
      const now = isFull ? full : empty;
      return now[name].bind(now);
    },
  });
  await startOn(server, store);
  await eventually(() => expect(heads).toBeGreaterThan(0));
  isFull = true;
  await log(bus, 4);
  await recorded(full, 4);
  const { state } = await bus.context.jsm.streams.info(eventStream, {
    subjects_filter: 'placet.sys.alarm.>',
  });
  expect(state.subjects ?? {}).toEqual({});
});

test('what is false is recorded with its flaw and one alarm, also when the record is lost and made again', async () => {
  const server = await startTestNats();
  const bus = await startTestBus(server);
  const dir = temporaryDirectory();
  const first = await startAudit(server, join(dir, 'audit.sqlite'));
  await log(bus, 1);
  const action_id = `act_${'f'.repeat(32)}`;
  const subject = `placet.act.support.${action_id}.action.decided`;
  const { js } = bus.context;
  await js.publish(subject, '{}');
  await js.publish('$KV.placet-agents.eve', '{"value":{}}');
  await log(bus, 2);

  // Three messages, a value of the configuration, and two alarms about what is false of these.
  await recorded(first.store, 6);
  const { records } = await first.store.query({ limit: 10, flawed: true });
  expect(
    records.map(({ subject, type, action, seal, flaw }) => ({ subject, type, action, seal, flaw })),
  ).toEqual(
    expect.arrayContaining([
      { subject, type: 'unreadable', action: action_id, seal: null, flaw: 'not_an_event' },
      { subject: '$KV.placet-agents.eve', type: 'config.changed', action: null, seal: null, flaw: 'no_seal' },
    ]),
  );
  expect(records).toHaveLength(2);
  const alarms = await first.store.query({ limit: 10, type: 'alarm.raised' });
  expect(alarms.records.map(({ body }) => JSON.parse(body).data.details.flaw).toSorted()).toEqual([
    'no_seal',
    'not_an_event',
  ]);
  expect((await first.store.query({ limit: 10, action: action_id })).records.map(({ type }) => type)).toEqual(
    ['unreadable', 'alarm.raised'],
  );
  await first.service.close();

  const again = await startAudit(server, join(dir, 'again.sqlite'));
  await recorded(again.store, 6);
  await log(bus, 3);
  await recorded(again.store, 7);
});
