import { join } from 'node:path';
import type { NatsServer } from '@placet/embedded';
import { eventStream, makeEvent } from '@placet/events';
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

async function startAudit(server: NatsServer, path: string) {
  const store = await openSqliteAuditStore(path);
  const logger = createLogger({ level: 'silent' });
  const service = await startAuditService(
    { nats: server, sealer: null, logger, metrics: createMetrics() },
    { store },
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
