import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadKeys, readPlacetSettings } from '@placet/embedded';
import { configStream } from '@placet/events';
import { startGatewayService } from '@placet/gateway-service';
import { startNotifierService } from '@placet/notifier-service';
import { createLogger, createMetrics } from '@placet/runtime';
import {
  createClient,
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestPlacet,
  type TestPlacet,
} from '@placet/testing';
import { expect, test } from 'vitest';
import {
  held,
  messagesIn,
  policy,
  rawBroker,
  startWithLog,
  webhookReceiver,
  wholeRecord,
} from '../support.ts';
import { local, startSystem, webhookAt, withStatus } from './support.ts';

releaseAfterEach();

/** What another instance beside the ones that run is started with. */
function beside({ placet, dataDir }: Pick<TestPlacet, 'placet' | 'dataDir'>) {
  const settings = readPlacetSettings({ ...local, PLACET_PORT: '0', PLACET_DATA: dataDir });
  const keys = loadKeys(dataDir);
  const metrics = createMetrics();
  return { settings, keys, metrics, nats: placet.nats, logger: createLogger({ level: 'silent' }) };
}

test('two notifiers share what is to be sent and what is to be tried again, and nothing is sent twice', async () => {
  const started = await startTestPlacet({ policy, env: local });
  const { settings, keys, ...environment } = beside(started);
  const config = { ...settings, secretBox: keys.secretBox };
  const second = await startNotifierService(
    { ...environment, sealer: null },
    { config, trusted: keys.trusted },
  );
  releaseAfterTest('second notifier', () => second.close());
  // Each is refused once, and tried again.
  const tried = new Set<string>();
  const wavering = await startSystem((response, got) => {
    withStatus(tried.has(got.id) ? 204 : 503)(response, got);
    tried.add(got.id);
  });
  const steady = await startSystem();
  const wanted = { events: ['action.decided'] };
  const { id } = await webhookAt(started, wavering.url, wanted);
  await webhookAt(started, steady.url, wanted);
  const count = 60;
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      started.agent.check({ action_name: 'read.mail', payload: { n } }),
    ),
  );
  await eventually(async () => {
    const { deliveries } = (await started.admin.get(`/v1/webhooks/${id}/deliveries?limit=200`)).body;
    expect(deliveries.map((one: { status: string }) => one.status)).toEqual(Array(count).fill('sent'));
  }, 30_000);
  const timesOf = (got: { id: string }[]) =>
    [...Map.groupBy(got, (one) => one.id).values()].map((all) => all.length);
  expect(timesOf(wavering.got)).toEqual(Array(count).fill(2));
  expect(timesOf(steady.got)).toEqual(Array(count).fill(1));
  const sentBySecond = Number(
    /notifications_total\{channel="webhook",result="sent"\} (\d+)/.exec(
      await environment.metrics.registry.metrics(),
    )?.[1],
  );
  expect(sentBySecond).toBeGreaterThan(0);
  expect(sentBySecond).toBeLessThan(2 * count);
}, 60_000);

test('while no gateway tells whom else to tell, that of the settings is told, and the others later', async () => {
  const settings = await webhookReceiver();
  const started = await startTestPlacet({ policy, env: { ...settings.env, ...local } });
  const system = await startSystem();
  await webhookAt(started, system.url, { events: ['approval.needed'] });
  await started.placet.stop('notifier');
  const id = await held(started);
  await started.placet.stop('gateway');
  await started.placet.start('notifier');
  await eventually(() => expect(settings.received.map(({ body }) => body.type)).toEqual(['approval.needed']));
  const { jsm } = await rawBroker(started.placet);
  await eventually(async () =>
    expect((await jsm.consumers.info('PLACET', 'notifier-webhook')).num_redelivered).toBeGreaterThan(0),
  );
  expect(system.got).toEqual([]);
  await started.placet.start('gateway');
  await eventually(() => expect(system.about(id)).toHaveLength(1));
  expect(settings.received).toHaveLength(1);
});

test('without a master key no secret is taken, and it is said what to set', async () => {
  const started = await startTestPlacet({ policy, env: local });
  const { id } = await webhookAt(started, 'https://example.com/hook');
  await started.admin.patch('/v1/agents/my-agent', { callback_hosts: ['example.com'] });
  await started.admin.post('/v1/agents/my-agent/callback-secret');
  const { settings, keys, ...environment } = beside(started);
  const { secretBox: _, ...config } = settings;
  const keyless = await startGatewayService({ ...environment, sealer: keys.sealer }, { config });
  releaseAfterTest('gateway without a master key', () => keyless.close());
  const admin = createClient(keyless.url, started.personToken);
  const asks = [
    admin.post('/v1/webhooks', { url: 'https://example.com/' }),
    admin.post(`/v1/webhooks/${id}/secrets`),
    admin.patch(`/v1/webhooks/${id}`, { url: 'https://example.com/other' }),
    admin.post('/v1/agents/my-agent/callback-secret'),
    createClient(keyless.url, started.agentKey).check({
      action_name: 'read.mail',
      payload: {},
      callback_url: 'https://example.com/done',
    }),
  ];
  for (const refused of await Promise.all(asks)) {
    expect(refused).toMatchObject({ status: 501, body: { error: 'MASTER_KEY_MISSING' } });
    expect(refused.body.message).toContain('PLACET_MASTER_KEY');
  }
  expect((await admin.get('/v1/webhooks')).body.webhooks).toMatchObject([{ id }]);
  expect((await admin.delete(`/v1/webhooks/${id}`)).status).toBe(204);
});

test('a secret, a path or a token of a receiver is in no answer, event, record, file or log', async () => {
  const started = await startWithLog(local);
  const { agent, admin, placet, dataDir, log } = started;
  await admin.put('/v1/policies/default', policy);
  const system = await startSystem();
  const { id, secret } = await webhookAt(started, `${system.url}?token=in-the-address`);
  const rotated = (await admin.post(`/v1/webhooks/${id}/secrets`)).body.secret;
  await admin.patch('/v1/agents/my-agent', { callback_hosts: [new URL(system.url).host] });
  const callbacks = (await admin.post('/v1/agents/my-agent/callback-secret')).body.secret;
  const secrets = [secret, rotated, callbacks].map((one: string) => one.slice('whsec_'.length));
  await admin.post(`/v1/webhooks/${id}/test`);
  const callback_url = `${system.url}?token=of-the-agent`;
  const { action_id } = (
    await agent.check({ action_name: 'refund.create', payload: { amount: 1 }, callback_url })
  ).body;
  await admin.vote(action_id, { vote: 'approve' });
  // The test, both announcements, and the callback.
  await eventually(() => expect(system.got).toHaveLength(4));
  system.answer(withStatus(500));
  const failing = await held(started);
  await eventually(() => expect(system.about(failing)).toHaveLength(1));
  const raw = await rawBroker(placet);
  await eventually(async () => {
    const types = (await wholeRecord(started)).map(({ type }) => type);
    expect(types.filter((type) => type === 'notification.sent')).toHaveLength(3);
  });
  const shown = [
    ...(await messagesIn(raw)).map(({ text }) => text),
    ...(await messagesIn(raw, configStream)).map(({ text }) => text),
    ...(await wholeRecord(started)).map((record) => JSON.stringify(record)),
    ...(await Promise.all(
      ['/v1/webhooks', `/v1/webhooks/${id}`, `/v1/webhooks/${id}/deliveries`, '/v1/agents', '/metrics'].map(
        async (path) => JSON.stringify((await admin.get(path)).body),
      ),
    )),
    ...log,
  ].join('\n');
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  for (const hidden of [...secrets, 'in-the-address', 'of-the-agent', 'path-that-is-a-secret']) {
    expect(shown.includes(hidden), hidden).toBe(false);
    expect(
      files.some((file) => file.includes(hidden)),
      hidden,
    ).toBe(false);
  }
  // What people may know is there.
  expect(shown).toContain(system.origin);
});
