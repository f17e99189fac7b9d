import { services as allServices, type Service } from '@placet/events';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { decided, held, policy, rawBroker, typesOf, webhookReceiver, wholeRecord } from '../support.ts';

releaseAfterEach();

const without = (away: Service) => allServices.filter((name) => name !== away);
const impatient = { PLACET_VERDICT_WAIT: '300ms' };

describe('rule 1: fail closed while a service is away', () => {
  test('policy: pending, never allowed, and decided when it is back without being asked again', async () => {
    const { agent, placet } = await startTestPlacet({ policy, env: impatient, services: without('policy') });

    const actions = ['read.mail', 'drop.table', 'refund.create'];
    const asked = await Promise.all(actions.map((action_name) => agent.check({ action_name, payload: {} })));
    expect(asked.map(({ body }) => body.decision)).toEqual(['pending', 'pending', 'pending']);
    expect(asked[0]?.body.approval).toBeUndefined();
    const [read, drop, refund] = asked.map(({ body }) => body.action_id);
    expect((await agent.answer(read)).body.decision).toBe('pending');

    await placet.start('policy');

    await decided(agent, read, 'allowed');
    await decided(agent, drop, 'denied');
    await eventually(async () => expect((await agent.answer(refund)).body.approval).toBeDefined());
    const raw = await rawBroker(placet);
    expect(await typesOf(raw, read)).toEqual(['action.requested', 'action.decided']);
  });

  test('policy: who waits is told as soon as it is back', async () => {
    const { agent, placet } = await startTestPlacet({ policy, services: without('policy') });
    const waiting = agent.check({ action_name: 'read.mail', payload: {} }, '?wait=30');
    const raw = await rawBroker(placet);
    await eventually(async () => expect((await raw.jsm.streams.info('PLACET')).state.messages).toBe(1));

    await placet.start('policy');

    expect((await waiting).body.decision).toBe('allowed');
  });

  test('decisions: what people decide stays pending, votes are refused, and both work when it is back', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy, services: without('decisions') });

    const id = await held({ agent });
    expect(await admin.vote(id, { vote: 'approve' })).toMatchObject({
      status: 503,
      body: { error: 'UNAVAILABLE' },
    });
    expect((await agent.answer(id)).body.decision).toBe('pending');
    expect((await agent.call('DELETE', `/v1/check/${id}`)).status).toBe(503);
    expect((await agent.check({ action_name: 'drop.table', payload: {} })).body.decision).toBe('denied');

    await placet.start('decisions');

    await eventually(async () => {
      const { body } = await admin.get('/v1/approvals');
      expect(body.approvals.map((approval: { id: string }) => approval.id)).toEqual([id]);
    });
    expect((await admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    expect((await agent.answer(id)).body.decision).toBe('allowed');
  });

  test('decisions: a deadline that passed meanwhile denies when it is back', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy, services: without('decisions') });
    const id = await held({ agent }, { timeout: '1s' });
    const { deadline } = (await agent.answer(id)).body.approval;
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(deadline)));
    expect((await agent.answer(id)).body.decision).toBe('pending');

    await placet.start('decisions');

    await decided(agent, id, 'denied');
    expect((await admin.vote(id, { vote: 'approve' })).status).toBe(409);
  });

  test('notifier: people decide all the same, and everything is announced when it is back', async () => {
    const { received, env } = await webhookReceiver();
    const { agent, admin, placet } = await startTestPlacet({ policy, env, services: without('notifier') });

    const id = await held({ agent });
    expect((await admin.vote(id, { vote: 'reject', comment: 'No.' })).body.decision).toBe('denied');
    expect((await agent.answer(id)).body).toMatchObject({ decision: 'denied', reason: 'No.' });
    expect(received).toEqual([]);

    await placet.start('notifier');

    await eventually(() =>
      expect(received.map(({ body }) => body.type).sort()).toEqual(['approval.closed', 'approval.needed']),
    );
  });

  test('audit: actions go on, the record is refused, and it has everything when it is back', async () => {
    const { agent, admin, placet } = await startTestPlacet({ policy, services: without('audit') });

    const id = await held({ agent });
    expect((await admin.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    expect(await admin.get('/v1/audit')).toMatchObject({ status: 503, body: { error: 'UNAVAILABLE' } });

    await placet.start('audit');

    await eventually(async () => {
      const records = await wholeRecord({ admin }, `&action=${id}`);
      expect(records.map(({ type }) => type)).toEqual([
        'action.requested',
        'approval.needed',
        'approval.voted',
        'action.decided',
        'approval.closed',
      ]);
    });
  });

  test.each(['policy', 'decisions', 'notifier', 'audit'] as const)(
    'what is away is named by /ready: %s',
    async (name) => {
      const { agent, placet } = await startTestPlacet({ policy });
      expect((await agent.get('/ready')).status).toBe(200);

      await placet.stop(name);

      expect(await agent.get('/ready')).toMatchObject({
        status: 503,
        body: { ready: false, unready: [`${name}: not running`] },
      });
    },
  );
});
