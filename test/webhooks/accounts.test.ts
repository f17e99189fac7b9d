import { eventually, releaseAfterEach, startTestCluster } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, policy } from '../support.ts';
import { isSignedWith, local, startSystem, webhookAt, withStatus } from './support.ts';

releaseAfterEach();

test('as processes of their own, gateway and notifier ask each other across their accounts of the broker', async () => {
  const cluster = await startTestCluster({ policy, env: { gateway: local, notifier: local } });
  const { admin, agent } = cluster;
  const system = await startSystem();
  const { id, secret } = await webhookAt(cluster, system.url, {
    events: ['approval.needed', 'action.decided'],
  });
  expect((await admin.post(`/v1/webhooks/${id}/test`)).body).toMatchObject({ delivered: true });

  await admin.patch('/v1/agents/my-agent', { callback_hosts: [new URL(system.url).host] });
  const callback = (await admin.post('/v1/agents/my-agent/callback-secret')).body.secret;
  const callback_url = `${system.url}?done`;
  const read = await agent.check({ action_name: 'read.mail', payload: {}, callback_url });
  await eventually(() => expect(system.about(read.body.action_id)).toHaveLength(2));
  const signedBy = system
    .about(read.body.action_id)
    .map((got) => [secret, callback].filter((one) => isSignedWith(got, one)));
  expect(signedBy.flat().toSorted()).toEqual([secret, callback].toSorted());

  const action = await held(cluster);
  const logged = await eventually(async () => {
    const { deliveries } = (await admin.get(`/v1/webhooks/${id}/deliveries`)).body;
    expect(deliveries).toMatchObject([{ action_id: action, status: 'sent' }, { status: 'sent' }]);
    return deliveries[0];
  });
  expect((await admin.post(`/v1/webhooks/${id}/deliveries/${logged.id}/redeliveries`)).status).toBe(202);
  await eventually(() => expect(system.about(action)).toHaveLength(2));

  system.answer(withStatus(410));
  await held(cluster);
  await eventually(async () =>
    expect((await admin.get(`/v1/webhooks/${id}`)).body).toMatchObject({ disabled: true }),
  );
}, 120_000);
