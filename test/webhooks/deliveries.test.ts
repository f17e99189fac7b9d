import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { held, messagesIn, policy, rawBroker, typesOf } from '../support.ts';
import {
  closedPort,
  isSignedWith,
  local,
  signaturesOf,
  startSystem,
  webhookAt,
  withStatus,
} from './support.ts';

releaseAfterEach();

/** Its announcement is given up after one attempt: the second would come after its time. */
const hasty = policy.replace(
  '- action: wire.*',
  `- action: hasty.*
    decide: require_approval
    approvers: ["#approvals"]
    timeout: 3s
  - action: wire.*`,
);
const hurried = (started: Pick<TestPlacet, 'agent'>) => held(started, { action_name: 'hasty.refund' });

type Logged = { id: string; event: string; type: string; status: string; action_id: string };
async function logOf({ admin }: Pick<TestPlacet, 'admin'>, id: string, query = ''): Promise<Logged[]> {
  const { status, body } = await admin.get(`/v1/webhooks/${id}/deliveries${query}`);
  expect(status).toBe(200);
  return body.deliveries;
}

describe('the secret', () => {
  test('is exchanged: both sign for a while, and then the new one alone', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const { admin } = started;
    const system = await startSystem();
    const { id, secret: first } = await webhookAt(started, system.url);
    const next = async () => {
      const action = await held(started);
      return eventually(() => {
        const [got] = system.about(action);
        if (!got) throw new Error('nothing came yet');
        return got;
      });
    };
    expect(signaturesOf(await next())).toHaveLength(1);

    const rotated = await admin.post(`/v1/webhooks/${id}/secrets`);
    expect(rotated.status).toBe(201);
    const { secret: second } = rotated.body;
    expect(second).not.toBe(first);
    expect(rotated.body.webhook.secrets).toMatchObject([{}, { until: expect.any(String) }]);
    const both = await next();
    expect(signaturesOf(both)).toHaveLength(2);
    expect([isSignedWith(both, first), isSignedWith(both, second)]).toEqual([true, true]);

    const given = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
    const ended = await admin.post(`/v1/webhooks/${id}/secrets`, { secret: given, grace: '0s' });
    expect(ended.body).toMatchObject({ secret: given, webhook: { secrets: [{}] } });
    const alone = await next();
    expect([first, second, given].map((one) => isSignedWith(alone, one))).toEqual([false, false, true]);
  });
});

describe('the log of deliveries', () => {
  test('tells what was sent and what became of it, and sends again under the same id', async () => {
    const started = await startTestPlacet({ policy: hasty, env: local });
    const { admin } = started;
    const system = await startSystem();
    const { id } = await webhookAt(started, system.url, { events: ['approval.needed'] });
    const [one, two] = [await held(started), await held(started)];
    await eventually(() => expect(system.got).toHaveLength(2));
    system.answer(withStatus(500));
    const failing = await hurried(started);
    await eventually(async () => {
      expect(await logOf(started, id)).toMatchObject([
        {
          action_id: failing,
          type: 'approval.needed',
          status: 'failed',
          attempts: 1,
          http_status: 500,
          error: 'The receiver answered 500.',
        },
        { action_id: two, status: 'sent', http_status: 204 },
        { action_id: one, status: 'sent', attempts: 1 },
      ]);
    });
    expect(await logOf(started, id, '?limit=1')).toHaveLength(1);
    const [failed, ...more] = await logOf(started, id, '?status=failed');
    expect(more).toEqual([]);

    system.answer(withStatus(204));
    const again = (delivery: string) => admin.post(`/v1/webhooks/${id}/deliveries/${delivery}/redeliveries`);
    const asked = await again(failed?.id ?? '');
    expect(asked).toMatchObject({ status: 202, body: { id: failed?.id, attempts: expect.any(Number) } });
    await eventually(async () => {
      expect((await logOf(started, id)).map(({ status }) => status)).toEqual(['sent', 'sent', 'sent']);
    });
    const [before, after] = system.about(failing);
    expect(after?.id).toBe(before?.id);
    expect(after?.text).toBe(before?.text);

    // Also what was received already.
    const sent = (await logOf(started, id)).find(({ action_id }) => action_id === one);
    expect((await again(sent?.id ?? '')).status).toBe(202);
    await eventually(() => expect(system.about(one)).toHaveLength(2));
    for (const wrong of ['0'.repeat(32), 'x', '*']) expect((await again(wrong)).status).toBe(404);
  });

  test('outlives a restart, and what waits is sent after it', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem(withStatus(503));
    const { id } = await webhookAt(started, system.url, { events: ['approval.needed'] });
    const action = await held(started);
    await eventually(async () =>
      expect(await logOf(started, id)).toMatchObject([{ status: 'waiting', next_at: expect.any(String) }]),
    );
    await started.placet.stop('notifier');
    system.answer(withStatus(204));
    await started.placet.start('notifier');
    await eventually(async () =>
      expect(await logOf(started, id)).toMatchObject([{ status: 'sent', attempts: 2 }]),
    );
    expect(new Set(system.about(action).map((got) => got.id)).size).toBe(1);
    expect(system.got).toHaveLength(2);
  });
});

test('a delivery that waited for longer than the ledger keeps it is told as failed', async () => {
  const started = await startTestPlacet({ policy, env: local });
  const system = await startSystem(withStatus(503));
  const { id } = await webhookAt(started, system.url, { events: ['approval.needed'] });
  const action = await held(started);
  await eventually(async () => expect(await logOf(started, id)).toMatchObject([{ status: 'waiting' }]));
  const raw = await rawBroker(started.placet);
  const ledger = 'KV_placet-deliveries';
  const { config } = await raw.jsm.streams.info(ledger);
  const forgetful = { max_age: 1_000_000_000, duplicate_window: 500_000_000 };
  await raw.jsm.streams.update(ledger, { ...config, ...forgetful });
  await eventually(async () => expect((await raw.jsm.streams.info(ledger)).state.messages).toBe(0));
  await raw.jsm.streams.update(ledger, config);
  await eventually(async () => expect(await typesOf(raw, action)).toContain('notification.failed'));
  expect(await logOf(started, id)).toMatchObject([{ status: 'failed' }]);
  expect(system.got).toHaveLength(1);
});

describe('the test button', () => {
  test('says in words what is wrong, and sends a signed event', async () => {
    const started = await startTestPlacet({ policy, env: { ...local, PLACET_WEBHOOK_TIMEOUT: '300ms' } });
    const { admin } = started;
    const system = await startSystem();
    const { id, secret } = await webhookAt(started, system.url);
    const tried = async () => {
      const { status, body } = await admin.post(`/v1/webhooks/${id}/test`);
      expect(status).toBe(200);
      return body;
    };
    expect(await tried()).toEqual({
      delivered: true,
      http_status: 204,
      message: 'The receiver took it: it answered 204.',
    });
    const [got] = system.got;
    if (!got) throw new Error('something came');
    expect(isSignedWith(got, secret)).toBe(true);
    expect(got.event).toMatchObject({ type: 'webhook.test', specversion: '1.0', data: { webhook: id } });

    system.answer(withStatus(500));
    expect(await tried()).toMatchObject({
      delivered: false,
      http_status: 500,
      message: 'The receiver answered 500. Its own log should say why.',
    });
    system.answer(() => {});
    expect((await tried()).message).toBe('No answer within 300 ms.');
    await admin.patch(`/v1/webhooks/${id}`, { url: `http://127.0.0.1:${await closedPort()}/` });
    expect((await tried()).message).toContain('refused: nobody listens');
    await admin.patch(`/v1/webhooks/${id}`, {
      url: `https://localhost:${await closedPort()}/`,
      disabled: true,
    });
    expect((await tried()).message).toMatch(/"localhost" resolves to .* not public.*Nothing was sent/);
    await admin.patch(`/v1/webhooks/${id}`, { url: 'https://nothing.invalid/path' });
    const unknown = await tried();
    expect(unknown.message).toContain('The name of the host is not known');
    expect(JSON.stringify(unknown)).not.toContain('path');
  });
});

describe('a receiver that is not well', () => {
  test('that answers 410 is disabled, with the reason', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem(withStatus(410));
    const { id } = await webhookAt(started, system.url);
    const action = await held(started);
    await eventually(async () =>
      expect((await started.admin.get(`/v1/webhooks/${id}`)).body).toMatchObject({
        disabled: true,
        disabled_reason: 'The receiver answered 410, Gone.',
      }),
    );
    const raw = await rawBroker(started.placet);
    await eventually(async () => expect(await typesOf(raw, action)).toContain('notification.failed'));
    expect(await logOf(started, id)).toMatchObject([{ status: 'failed', http_status: 410 }]);
    expect(system.got).toHaveLength(1);
    await started.admin.patch(`/v1/webhooks/${id}`, { disabled: false });
    system.answer(withStatus(204));
    const next = await held(started);
    await eventually(() => expect(system.about(next)).toHaveLength(1));
  });

  test('and does not answer holds up nobody else', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const wanted = { events: ['action.decided'] };
    const [dead, alive] = [await startSystem(() => {}), await startSystem()];
    await webhookAt(started, dead.url, wanted);
    await webhookAt(started, alive.url, wanted);
    // More than are handled at a time.
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, (_, n) =>
        started.agent.check({ action_name: 'read.mail', payload: { n } }),
      ),
    );
    await eventually(() => expect(alive.got).toHaveLength(count), 50_000);
    // It is tried again now and then, and by a few at a time alone.
    expect(dead.got.length).toBeGreaterThan(0);
    expect(dead.got.length).toBeLessThan(count / 10);
    expect(new Set(alive.got.map((got) => got.id)).size).toBe(count);
  });

  test('and is not there is an event and a metric, and the approval is decided all the same', async () => {
    const started = await startTestPlacet({ policy: hasty, env: local });
    const { agent, admin } = started;
    const origin = `http://127.0.0.1:${await closedPort()}`;
    const { id } = await webhookAt(started, `${origin}/secret-path`);
    const action = await hurried(started);
    const raw = await rawBroker(started.placet);
    await eventually(async () => expect(await typesOf(raw, action)).toContain('notification.failed'));
    const failed = (await messagesIn(raw)).find(({ event }) => event.type === 'notification.failed');
    expect(failed?.event.data).toMatchObject({
      action_id: action,
      channel: 'webhook',
      target: origin,
      about_type: 'approval.needed',
      error: 'The request failed: ECONNREFUSED.',
    });
    expect((await agent.get('/metrics')).body).toContain(
      'placet_notifications_total{channel="webhook",result="failed"} 1',
    );
    await eventually(async () => {
      const { notifications } = (await admin.get('/v1/notifications?failed')).body;
      expect(notifications).toContainEqual(
        expect.objectContaining({
          channel: 'webhook',
          action_id: action,
          error: expect.stringContaining('ECONN'),
        }),
      );
    });
    const message = (await messagesIn(raw)).find(({ event }) => event.type === 'message.dead');
    expect(message?.event.data).toMatchObject({ consumer: 'notifier-webhook' });
    expect((await admin.vote(action, { vote: 'approve' })).body.decision).toBe('allowed');
    expect(await logOf(started, id)).toContainEqual(expect.objectContaining({ status: 'failed' }));
  });
});
