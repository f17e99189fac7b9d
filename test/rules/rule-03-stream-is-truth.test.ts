import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { held, messagesIn, policy, rawBroker, wholeRecord } from '../support.ts';

releaseAfterEach();

const listed = async ({ admin }: TestPlacet, status: string) =>
  (await admin.get(`/v1/approvals?status=${status}`)).body.approvals;

/** One action of every kind, all of them on the record. */
async function someHistory(started: TestPlacet) {
  const { agent, admin, placet } = started;
  const allowed = (await agent.check({ action_name: 'read.mail', payload: {}, idempotency_key: 'a' })).body;
  const used = (await agent.check({ action_name: 'read.mail', payload: {} })).body;
  await agent.post(`/v1/check/${used.action_id}/execution`, { status: 'success' });
  const denied = (await agent.check({ action_name: 'drop.table', payload: {} })).body;
  const approved = await held(started, { case: 'case 1' });
  await admin.vote(approved, { vote: 'approve', comment: 'Yes.' });
  const rejected = await held(started);
  await admin.vote(rejected, { vote: 'reject' });
  const open = await held(started);
  const raw = await rawBroker(placet);
  await eventually(async () => {
    expect(await listed(started, 'decided')).toHaveLength(2);
    const { state } = await raw.jsm.streams.info('PLACET');
    const records = await wholeRecord(started);
    expect(records.filter(({ stream }) => stream === 'PLACET')).toHaveLength(state.messages);
    expect(records.filter(({ type }) => type === 'approval.closed')).toHaveLength(2);
  });
  return [allowed.action_id, used.action_id, denied.action_id, approved, rejected, open];
}

/** A record's place in the log may change when two streams are read again; what each stream holds may not. */
async function recordByStream(started: TestPlacet) {
  const records = await wholeRecord(started);
  return Map.groupBy(
    records.map(({ stream, seq, id, type, body }) => ({ stream, seq, id, type, body })),
    ({ stream }) => stream,
  );
}

async function seen(started: TestPlacet, ids: string[]) {
  return {
    open: await listed(started, 'pending'),
    decided: await listed(started, 'decided'),
    answers: await Promise.all(ids.map(async (id) => (await started.agent.answer(id)).body)),
  };
}

describe('rule 3: the stream is the truth', () => {
  test('a store of outcomes that was lost is built again from the stream', async () => {
    const first = await startTestPlacet({ policy });
    const ids = await someHistory(first);
    const before = await seen(first, ids);
    expect(before.answers.map(({ decision }) => decision)).toEqual([
      'allowed',
      'expired',
      'denied',
      'allowed',
      'denied',
      'pending',
    ]);
    await first.placet.stop('decisions');
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(first.dataDir, `decisions.sqlite${end}`), { force: true });
    }

    await first.placet.start('decisions');

    await eventually(async () => expect(await seen(first, ids)).toEqual(before));
    const open = ids.at(-1) ?? '';
    expect((await first.admin.vote(open, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('a record that was lost is written again, message for message', async () => {
    const first = await startTestPlacet({ policy });
    await someHistory(first);
    const before = await recordByStream(first);
    await first.placet.stop('audit');
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(first.dataDir, `audit.sqlite${end}`), { force: true });
    }

    await first.placet.start('audit');

    await eventually(async () => expect(await recordByStream(first)).toEqual(before));
  });

  test('after a restart of everything without its stores all is as it was, and nothing is written twice', async () => {
    const first = await startTestPlacet({ policy });
    const ids = await someHistory(first);
    const before = await seen(first, ids);
    const events = await messagesIn(await rawBroker(first.placet));
    await first.close();
    for (const name of ['decisions.sqlite', 'audit.sqlite']) {
      for (const end of ['', '-wal', '-shm']) rmSync(join(first.dataDir, `${name}${end}`), { force: true });
    }

    const second = await startTestPlacet({ dataDir: first.dataDir });

    expect(second.agentKey).toBe(first.agentKey);
    await eventually(async () => expect(await seen(second, ids)).toEqual(before));
    await eventually(async () => {
      const records = await recordByStream(second);
      expect(records.get('PLACET')?.map(({ seq, body }) => ({ seq, body }))).toEqual(
        events.map(({ seq, text }) => ({ seq, body: text })),
      );
    });
    expect(await messagesIn(await rawBroker(second.placet))).toEqual(events);
  });
});
