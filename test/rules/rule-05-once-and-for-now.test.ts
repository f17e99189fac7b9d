import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { alarmKinds, decided, held, messagesIn, policy, rawBroker } from '../support.ts';

releaseAfterEach();

const reading = { action_name: 'read.mail', payload: { box: 'in' }, idempotency_key: 'reading' };

describe('rule 5: allowed is for once, and for now', () => {
  test('an automatic permission ends, and its key is no old permission', async () => {
    const { agent } = await startTestPlacet({ policy, env: { PLACET_VALID_FOR_AUTOMATIC: '2s' } });
    const { body } = await agent.check(reading);
    expect(body.decision).toBe('allowed');
    expect(Date.parse(body.valid_until) - Date.parse(body.decided_at)).toBe(2000);

    await decided(agent, body.action_id, 'expired');

    expect(await agent.check(reading)).toMatchObject({
      status: 409,
      body: { error: 'DECISION_EXPIRED', details: { action_id: body.action_id } },
    });
    expect((await agent.check(reading, '?wait=5')).status).toBe(409);
    expect((await agent.answer(body.action_id)).body.proof).toBeUndefined();
  });

  test("people's permission ends too", async () => {
    const started = await startTestPlacet({ policy, env: { PLACET_VALID_FOR_PEOPLE: '1s' } });
    const { agent, admin } = started;
    const id = await held(started, { idempotency_key: 'refund' });
    await admin.vote(id, { vote: 'approve' });

    await decided(agent, id, 'expired');

    const again = { action_name: 'refund.create', payload: { amount: 20 }, idempotency_key: 'refund' };
    expect((await agent.check(again)).body.error).toBe('DECISION_EXPIRED');
  });

  test('an execution that was reported uses the permission up', async () => {
    const { agent } = await startTestPlacet({ policy });
    const { action_id } = (await agent.check(reading)).body;
    expect((await agent.check(reading)).body).toMatchObject({ decision: 'allowed', action_id });

    const report = { status: 'success', latency_ms: 12, result: { messages: 3 } };
    const reported = await agent.post(`/v1/check/${action_id}/execution`, report);

    expect(reported).toMatchObject({ status: 201, body: { action_id, status: 'success', late: false } });
    expect((await agent.answer(action_id)).body.decision).toBe('expired');
    expect((await agent.answer(action_id, '?wait=1')).body.decision).toBe('expired');
    expect(await agent.check(reading)).toMatchObject({ status: 409, body: { error: 'ALREADY_USED' } });
    expect(await agent.post(`/v1/check/${action_id}/execution`, report)).toMatchObject({
      status: 409,
      body: { error: 'ALREADY_USED' },
    });
  });

  test('a failed execution uses it up as well', async () => {
    const { agent } = await startTestPlacet({ policy });
    const { action_id } = (await agent.check(reading)).body;

    await agent.post(`/v1/check/${action_id}/execution`, { status: 'error', error: 'The box is locked.' });

    expect((await agent.check(reading)).body.error).toBe('ALREADY_USED');
  });

  test('an execution reported after the permission ended is on the record as late', async () => {
    const { agent } = await startTestPlacet({ policy, env: { PLACET_VALID_FOR_AUTOMATIC: '1s' } });
    const { action_id } = (await agent.check(reading)).body;
    await decided(agent, action_id, 'expired');

    const reported = await agent.post(`/v1/check/${action_id}/execution`, { status: 'success' });

    expect(reported).toMatchObject({ status: 201, body: { late: true } });
  });

  test('an execution of what was denied, or not decided, is refused and is an alarm', async () => {
    const started = await startTestPlacet({ policy });
    const { agent, placet } = started;
    const raw = await rawBroker(placet);
    const denied = (await agent.check({ action_name: 'drop.table', payload: {} })).body.action_id;
    const open = await held(started);

    const report = (id: string) => agent.post(`/v1/check/${id}/execution`, { status: 'success' });
    expect(await report(denied)).toMatchObject({ status: 409, body: { error: 'NOT_ALLOWED' } });
    expect(await report(open)).toMatchObject({ status: 409, body: { error: 'NOT_DECIDED' } });
    expect((await report(denied)).status).toBe(409);

    expect(await alarmKinds(raw)).toEqual(['executed_without_permission', 'executed_without_permission']);
    expect((await messagesIn(raw)).map(({ event }) => event.type)).not.toContain('action.executed');
    expect((await agent.answer(open)).body.decision).toBe('pending');
  });

  test('what was used stays used after a restart of everything, and without the store of outcomes', async () => {
    const first = await startTestPlacet({ policy });
    const { action_id } = (await first.agent.check(reading)).body;
    await first.agent.post(`/v1/check/${action_id}/execution`, { status: 'success' });
    await first.close();

    const second = await startTestPlacet({ dataDir: first.dataDir });
    await second.placet.stop('decisions');

    await eventually(async () =>
      expect((await second.agent.answer(action_id)).body.decision).toBe('expired'),
    );
    expect((await second.agent.check(reading)).body.error).toBe('ALREADY_USED');
  });
});
