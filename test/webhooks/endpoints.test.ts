import { createClient, eventually, releaseAfterLast } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, decided, held, personWith, policy, sharedPlacet } from '../support.ts';
import { isSignedWith, local, startSystem, webhookAt } from './support.ts';

releaseAfterLast();

const reminding = `${policy.replace('default: require_approval', '')}
  - action: pay.*
    decide: require_approval
    approvers: ["role:approver"]
    timeout: 2s
    remind: [50%]
default: require_approval
`;

describe('a webhook of the API', () => {
  const shared = sharedPlacet({ policy: reminding, env: local });

  test('is told of approvals, signed with the secret that was shown once', async () => {
    const system = await startSystem();
    const made = await shared().admin.post('/v1/webhooks', { url: system.url, description: 'Ours' });
    expect(made.status).toBe(201);
    expect(made.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made.body.webhook).toMatchObject({
      origin: system.origin,
      description: 'Ours',
      disabled: false,
      events: [
        'approval.needed',
        'approval.reminded',
        'approval.escalated',
        'approval.reassigned',
        'approval.closed',
      ],
    });
    const id = await held(shared());
    await shared().admin.vote(id, { vote: 'approve' });
    await eventually(() =>
      expect(
        system
          .about(id)
          .map(({ event }) => event.type)
          .toSorted(),
      ).toEqual(['approval.closed', 'approval.needed']),
    );
    for (const got of system.about(id)) {
      expect(isSignedWith(got, made.body.secret)).toBe(true);
      expect(got.headers['content-type']).toBe('application/cloudevents+json');
      expect(got.id).toBe(got.event.id);
    }
    const { id: webhook } = made.body.webhook;
    expect((await shared().admin.get(`/v1/webhooks/${webhook}`)).body).toEqual(made.body.webhook);
    expect((await shared().admin.get('/v1/webhooks')).body.webhooks).toContainEqual(made.body.webhook);
  });

  test('is told of automatic verdicts when it asks for them, and of nothing else then', async () => {
    const system = await startSystem();
    await webhookAt(shared(), system.url, { events: ['action.decided'] });
    const read = (await shared().agent.check({ action_name: 'read.mail', payload: {} })).body.action_id;
    const id = await held(shared());
    await shared().admin.vote(id, { vote: 'reject' });
    await eventually(() => {
      expect(system.about(read).map(({ event }) => event.data)).toMatchObject([
        { decision: 'allowed', cause: 'policy', held: false },
      ]);
      expect(system.about(id).map(({ event }) => event.data)).toMatchObject([{ decision: 'denied' }]);
    });
    expect(new Set(system.types())).toEqual(new Set(['action.decided']));
  });

  test('is told of those agents and actions alone that it asks for', async () => {
    const everything = { events: ['approval.needed', 'approval.reminded', 'action.decided'] };
    const [wires, bots, all] = [await startSystem(), await startSystem(), await startSystem()];
    await webhookAt(shared(), wires.url, { ...everything, actions: ['pay.*', 'read.n*'] });
    await webhookAt(shared(), bots.url, { ...everything, agents: ['bot-*'] });
    await webhookAt(shared(), all.url, everything);
    const bot = await agentNamed(shared(), 'bot-1');
    const ask = async (agent: typeof bot, action_name: string): Promise<string> =>
      (await agent.check({ action_name, payload: {} })).body.action_id;
    const mine = createClient(shared().url, shared().agentKey) as typeof bot;
    const ids = [
      await ask(mine, 'pay.soon'),
      await ask(mine, 'read.news'),
      await ask(mine, 'read.mail'),
      await ask(bot, 'read.mail'),
    ];
    const told = (system: typeof all) =>
      ids.map((id) =>
        system
          .about(id)
          .map(({ event }) => event.type)
          .toSorted(),
      );
    const paid = ['action.decided', 'approval.needed', 'approval.reminded'];
    const once = ['action.decided'];
    await eventually(() => expect(told(all)).toEqual([paid, once, once, once]));
    // A reminder names no action: what it is about is looked up.
    await eventually(() => expect(told(wires)).toEqual([paid, once, [], []]));
    await eventually(() => expect(told(bots)).toEqual([[], [], [], once]));
  });

  test('can be changed, disabled, enabled and taken away', async () => {
    const [before, after] = [await startSystem(), await startSystem()];
    const { admin } = shared();
    const { id } = await webhookAt(shared(), before.url, { actions: ['refund.*'], description: 'first' });
    const patched = await admin.patch(`/v1/webhooks/${id}`, {
      url: after.url,
      actions: null,
      description: null,
      events: ['approval.closed'],
    });
    expect(patched).toMatchObject({
      status: 200,
      body: { origin: after.origin, events: ['approval.closed'] },
    });
    expect(patched.body).not.toHaveProperty('actions');
    expect(patched.body).not.toHaveProperty('description');

    const disabled = await admin.patch(`/v1/webhooks/${id}`, { disabled: true });
    expect(disabled.body).toMatchObject({ disabled: true, disabled_reason: 'disabled by an administrator' });
    const unheard = await held(shared());
    await admin.vote(unheard, { vote: 'approve' });
    await decided(shared().agent, unheard, 'allowed');
    const enabled = await admin.patch(`/v1/webhooks/${id}`, { disabled: false });
    expect(enabled.body).toMatchObject({ disabled: false });
    const heard = await held(shared());
    await admin.vote(heard, { vote: 'approve' });
    await eventually(() => expect(after.about(heard)).toHaveLength(1));
    expect(before.got).toEqual([]);

    expect((await admin.delete(`/v1/webhooks/${id}`)).status).toBe(204);
    for (const path of ['', '/deliveries']) {
      expect((await admin.get(`/v1/webhooks/${id}${path}`)).status).toBe(404);
    }
    expect((await admin.delete(`/v1/webhooks/${id}`)).status).toBe(404);
    const { webhooks } = (await admin.get('/v1/webhooks')).body;
    expect(webhooks.map((one: { id: string }) => one.id)).not.toContain(id);
  });

  test.each([
    ['an address of our own network', { url: 'https://10.0.0.1/' }, 'url'],
    ['the same, written as a number', { url: 'https://2130706434/' }, 'url'],
    ['the same, in another form', { url: 'https://[::ffff:10.0.0.1]/' }, 'url'],
    ['an address without TLS', { url: 'http://example.com/' }, 'url'],
    ['an address with a password', { url: 'https://a:b@example.com/' }, 'url'],
    ['no address', { url: 'example' }, 'url'],
    ['an event that there is not', { events: ['approval.seen'] }, 'events'],
    ['no event', { events: [] }, 'events'],
    ['a short secret', { secret: 'whsec_AAAA' }, 'secret'],
    ['an unknown field', { surprise: 1 }, 'surprise'],
  ])('with %s is refused', async (_what, fields, path) => {
    const refused = await shared().admin.post('/v1/webhooks', { url: 'https://example.com/', ...fields });
    expect(refused).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
    expect(JSON.stringify(refused.body.details)).toContain(path);
  });

  test('is the business of administrators: others are refused', async () => {
    const { id } = await webhookAt(shared(), 'https://example.com/hook');
    const { agent, url } = shared();
    const approver = await personWith(shared(), 'ann@example.com', ['approver']);
    const auditor = await personWith(shared(), 'aud@example.com', ['auditor']);
    const changing = [
      ['POST', '/v1/webhooks', { url: 'https://example.com/' }],
      ['PATCH', `/v1/webhooks/${id}`, { disabled: true }],
      ['DELETE', `/v1/webhooks/${id}`, undefined],
      ['POST', `/v1/webhooks/${id}/secrets`, {}],
      ['POST', `/v1/webhooks/${id}/test`, undefined],
      ['POST', `/v1/webhooks/${id}/deliveries/${'0'.repeat(32)}/redeliveries`, undefined],
    ] as const;
    const reading = [
      ['GET', '/v1/webhooks', undefined],
      ['GET', `/v1/webhooks/${id}`, undefined],
      ['GET', `/v1/webhooks/${id}/deliveries`, undefined],
    ] as const;
    for (const [method, path, body] of [...changing, ...reading]) {
      expect((await createClient(url).call(method, path, body)).status, path).toBe(401);
      const byAgent = await agent.call(method, path, body);
      expect(byAgent, path).toMatchObject({ status: 403, body: { error: 'WRONG_CREDENTIAL' } });
      const byApprover = await approver.call(method, path, body);
      expect(byApprover, path).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
    }
    for (const [method, path, body] of changing) {
      expect((await auditor.call(method, path, body)).status, path).toBe(403);
    }
    for (const [method, path] of reading) expect((await auditor.call(method, path)).status, path).toBe(200);
    expect((await shared().admin.get(`/v1/webhooks/${id}`)).body.disabled).toBe(false);
  });
});
