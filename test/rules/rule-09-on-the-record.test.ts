import { configStream, eventStream } from '@placet/events';
import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  agentNamed,
  held,
  messagesIn,
  personWith,
  policy,
  put,
  rawBroker,
  webhookReceiver,
  wholeRecord,
} from '../support.ts';

releaseAfterEach();

/** Of every event and every change that there is now. */
async function everything(started: TestPlacet) {
  const { agent, admin } = started;
  const robot = await agentNamed(started, 'robot');
  await admin.post(`/v1/agents/robot/keys/${robot.keyId}/rotation`, {});
  const person = await personWith(started, 'ann@example.com', ['approver']);
  await admin.patch(`/v1/people/${person.id}`, { roles: ['approver', 'treasurer'] });
  await admin.post(`/v1/people/${person.id}/tokens`, {});
  await put(started, 'guardrail', 'version: 1\n');
  const read = (await agent.check({ action_name: 'read.mail', payload: {}, case: 'case-1' })).body.action_id;
  await agent.post(`/v1/check/${read}/execution`, { status: 'success' });
  await agent.post(`/v1/check/${read}/execution`, { status: 'success' });
  const dropped = (await agent.check({ action_name: 'drop.table', payload: {} })).body.action_id;
  await agent.post(`/v1/check/${dropped}/execution`, { status: 'success' });
  const logged = await agent.post('/v1/actions/log', { action_name: 'tidy', case: 'case-1' });
  const approved = await held(started, { case: 'case-1' });
  await person.vote(approved, { vote: 'approve' });
  const withdrawn = await held(started);
  await agent.call('DELETE', `/v1/check/${withdrawn}`);
  return { read, dropped, logged: logged.body.action_id, approved, withdrawn, person };
}

describe('rule 9: everything is on the record', () => {
  test('every event and every change, once, whole and in its order', async () => {
    const { env } = await webhookReceiver();
    const started = await startTestPlacet({ policy, env });
    const raw = await rawBroker(started.placet);
    const { approved } = await everything(started);

    await eventually(async () => {
      const records = await wholeRecord(started);
      expect(records.map(({ index }) => index)).toEqual(records.map((_, i) => i));
      const types = records.map(({ type }) => type);
      expect(types.filter((type) => type === 'notification.sent')).toHaveLength(4);
      for (const stream of [eventStream, configStream]) {
        const stored = await messagesIn(raw, stream);
        const recorded = records.filter((record) => record.stream === stream);
        expect(recorded.map(({ seq, body }) => ({ seq, body }))).toEqual(
          stored.map(({ seq, text }) => ({ seq, body: text })),
        );
      }
    });

    const records = await wholeRecord(started);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    const of = (stream: string) => records.filter((record) => record.stream === stream);
    // Each bucket in its own order; over two buckets there is none.
    const reasons = (bucket: string) =>
      of(configStream).flatMap(({ subject, body }) =>
        subject.startsWith(`$KV.${bucket}.`) ? [JSON.parse(body).why ?? ''] : [],
      );
    expect(reasons('placet-signers')).toEqual(['a signing key', 'a signing key']);
    expect(reasons('placet-policies')).toEqual(['the first policy', '', '']);
    expect(reasons('placet-agents')).toEqual([
      'a new agent',
      'a new agent',
      expect.stringMatching(/^key \w+ replaced by \w+$/),
    ]);
    expect(reasons('placet-people')).toEqual([
      'a new person',
      'a new person',
      'roles or state changed',
      expect.stringMatching(/^a new token/),
    ]);
    expect(of(configStream).every(({ type }) => type === 'config.changed')).toBe(true);
    expect(new Set(of(eventStream).map(({ type }) => type))).toEqual(
      new Set([
        'action.requested',
        'action.decided',
        'action.executed',
        'action.logged',
        'approval.needed',
        'approval.voted',
        'approval.closed',
        'notification.sent',
        'alarm.raised',
      ]),
    );
    expect(
      (await wholeRecord(started, `&action=${approved}&type=approval.voted`)).map(({ type }) => type),
    ).toEqual(['approval.voted']);
  });

  test('the record is found by agent, action, case, type and time', async () => {
    const started = await startTestPlacet({ policy });
    const raw = await rawBroker(started.placet);
    const made = await everything(started);
    await eventually(async () => {
      const records = await wholeRecord(started);
      expect(records.filter(({ stream }) => stream === eventStream)).toEqual(
        (await messagesIn(raw)).map(({ seq }) => expect.objectContaining({ seq })),
      );
      expect(records.filter(({ type }) => type === 'approval.closed')).toHaveLength(2);
    });
    const types = async (query: string) => (await wholeRecord(started, query)).map(({ type }) => type);

    expect(await types(`&action=${made.dropped}`)).toEqual([
      'action.requested',
      'action.decided',
      'alarm.raised',
    ]);
    expect(await types('&agent=robot')).toEqual(['config.changed', 'config.changed']);
    expect(await types('&agent=nobody')).toEqual([]);
    expect(await types('&type=action.logged')).toEqual(['action.logged']);
    expect(await types('&case=case-1&type=action.requested')).toHaveLength(2);
    expect(await types('&case=case-2')).toEqual([]);

    const all = await wholeRecord(started);
    const times = (records: object[]) => (records as { time: string }[]).map(({ time }) => time).sort();
    const middle = times(all)[Math.floor(all.length / 2)] ?? '';
    const before = await wholeRecord(started, `&until=${middle}`);
    const after = await wholeRecord(started, `&from=${middle}`);
    expect(before.length + after.length).toBe(all.length);
    expect(times(before).every((time) => time < middle)).toBe(true);
    expect(times(after).every((time) => time >= middle)).toBe(true);
    const mine = await wholeRecord(started, `&agent=my-agent&from=${middle}&action=${made.approved}`);
    expect(mine.every((record) => JSON.parse(record.body).data.action_id === made.approved)).toBe(true);
  });

  test('a case holds all that happened in it', async () => {
    const started = await startTestPlacet({ policy });
    await everything(started);

    await eventually(async () => {
      const types = (await wholeRecord(started, '&case=case-1')).map(({ type }) => type);
      expect(types.sort()).toEqual([
        'action.decided',
        'action.decided',
        'action.executed',
        'action.logged',
        'action.requested',
        'action.requested',
        'approval.closed',
        'approval.needed',
        'approval.voted',
      ]);
    });
  });

  test('what somebody else put into the stream is on the record as well', async () => {
    const started = await startTestPlacet({ policy });
    const raw = await rawBroker(started.placet);
    await raw.js.publish('placet.note.my-agent.x.strange', 'not JSON');
    await raw.js.publish('placet.sys.alarm.raised.1', new Uint8Array([0xff, 0xfe]));

    await eventually(async () => {
      const bodies = (await wholeRecord(started, '&type=unreadable')).map(({ body }) => body);
      expect(bodies).toEqual(['not JSON', 'base64://4=']);
    });
  });

  test('only administrators and auditors read it', async () => {
    const started = await startTestPlacet({ policy });
    const approver = await personWith(started, 'approver@example.com', ['approver']);
    const auditor = await personWith(started, 'auditor@example.com', ['auditor']);

    expect(await approver.get('/v1/audit')).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
    expect((await auditor.get('/v1/audit')).status).toBe(200);
    expect((await auditor.post('/v1/agents', { name: 'mine' })).status).toBe(403);
    expect((await auditor.put('/v1/policies/default', 'version: 1\n')).status).toBe(403);
  });
});
