import { services as allServices } from '@placet/events';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import {
  decided,
  held,
  messagesIn,
  policy,
  rawBroker,
  typesOf,
  webhookReceiver,
  wholeRecord,
} from '../support.ts';

releaseAfterEach();

describe('rule 8: nothing vanishes', () => {
  test('a request that gets no verdict is denied, and a verdict that comes later changes nothing', async () => {
    const { agent, admin, placet } = await startTestPlacet({
      policy,
      env: { PLACET_SWEEP_AFTER: '1s', PLACET_VERDICT_WAIT: '100ms' },
      services: allServices.filter((name) => name !== 'policy'),
    });
    const body = { action_name: 'read.mail', payload: {}, idempotency_key: 'reading' };
    const { action_id } = (await agent.check(body)).body;

    await decided(agent, action_id, 'denied');

    const raw = await rawBroker(placet);
    const decision = (await messagesIn(raw)).find(({ event }) => event.type === 'action.decided');
    expect(decision?.event).toMatchObject({
      source: 'placet/decisions',
      data: { decision: 'denied', cause: 'evaluation_failed', held: false },
    });
    await placet.start('policy');
    await eventually(async () => {
      const { num_pending, num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'policy');
      expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
    });
    expect((await agent.answer(action_id)).body.decision).toBe('denied');
    expect((await agent.check(body)).body).toMatchObject({ decision: 'denied', action_id });
    expect(await typesOf(raw, action_id)).toEqual(['action.requested', 'action.decided']);
    expect((await admin.get('/v1/approvals?status=all')).body.approvals).toEqual([]);
  });

  test('a receiver that wants no more: the failure is an event, a metric and on the record', async () => {
    const { received, env } = await webhookReceiver(410);
    const started = await startTestPlacet({ policy, env });
    const { agent, admin, placet } = started;
    const id = await held(started);
    const raw = await rawBroker(placet);

    await eventually(async () => expect(await typesOf(raw, id)).toContain('notification.failed'));
    await eventually(async () => {
      const types = (await wholeRecord(started)).map(({ type }) => type);
      expect(types).toContain('notification.failed');
      expect(types).toContain('message.dead');
    });

    const failed = (await messagesIn(raw)).find(({ event }) => event.type === 'notification.failed');
    expect(failed?.event.data).toMatchObject({ action_id: id, channel: 'webhook', attempts: 1 });
    const dead = (await messagesIn(raw)).find(({ event }) => event.type === 'message.dead');
    expect(dead?.event.data).toMatchObject({ consumer: 'notifier-webhook', stream: 'PLACET' });
    expect((await agent.get('/metrics')).body).toContain(
      'placet_notifications_total{channel="webhook",result="failed"} 1',
    );
    expect(received).toHaveLength(1);
    // The approval itself is as open as before.
    expect((await admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('an announcement that failed is not tried again after a restart', async () => {
    const { received, env } = await webhookReceiver(410);
    const started = await startTestPlacet({ policy, env });
    const id = await held(started);
    const raw = await rawBroker(started.placet);
    await eventually(async () => expect(await typesOf(raw, id)).toContain('notification.failed'));
    await eventually(async () => {
      const { num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'notifier-webhook');
      expect(num_ack_pending).toBe(0);
    });

    await started.placet.stop('notifier');
    await started.placet.start('notifier');
    const next = await held(started);

    await eventually(async () => expect(await typesOf(raw, next)).toContain('notification.failed'));
    expect(received).toHaveLength(2);
  });

  test('what was open when everything was stopped is still open, and ends at its deadline', async () => {
    const first = await startTestPlacet({ policy });
    const id = await held(first);
    const short = await held(first, { timeout: '1s' });
    await first.close();

    const second = await startTestPlacet({ dataDir: first.dataDir });

    await decided(second.agent, short, 'denied');
    expect((await second.agent.answer(id)).body.decision).toBe('pending');
    expect((await second.admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('who waits when the gateway stops is answered with what is known', async () => {
    const started = await startTestPlacet({ policy });
    const id = await held(started);
    const waiting = started.agent.answer(id, '?wait=30');
    await eventually(async () =>
      expect((await started.agent.get('/metrics')).body).toContain('placet_waiting_callers 1'),
    );

    await started.close();

    expect(await waiting).toMatchObject({ status: 200, body: { decision: 'pending' } });
  });
});
