import { eventStream, subjectFor } from '@placet/events';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { held, messageCount, messagesIn, personWith, policy, rawBroker, typesOf } from '../support.ts';

releaseAfterEach();

const agentName = 'my-agent';

describe('rule 2: one action, one decision', () => {
  test('a hundred identical requests at once are one action', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const body = { action_name: 'read.mail', payload: { box: 'in' }, idempotency_key: 'one' };

    const answers = await Promise.all(Array.from({ length: 100 }, () => agent.check(body)));

    const told = answers.map(({ status, body: { action_id, decision, proof } }) => ({
      status,
      action_id,
      decision,
      proof,
    }));
    expect(new Set(told.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(told[0]).toMatchObject({ status: 200, decision: 'allowed' });
    const raw = await rawBroker(placet);
    expect(await typesOf(raw, told[0]?.action_id)).toEqual(['action.requested', 'action.decided']);
    expect(await messageCount(raw)).toBe(2);
  });

  test('twenty people who vote at once make one decision, which all of them are told', async () => {
    const started = await startTestPlacet({ policy });
    const { agent, placet } = started;
    const raw = await rawBroker(placet);
    const people = await Promise.all(
      Array.from({ length: 20 }, (_, i) => personWith(started, `person${i}@example.com`, ['approver'])),
    );
    for (let round = 0; round < 3; round++) {
      const id = await held(started);
      const waiting = agent.answer(id, '?wait=30');

      const votes = await Promise.all(
        people.map((person, i) => person.vote(id, { vote: i % 2 ? 'approve' : 'reject' })),
      );

      const { decision } = (await waiting).body;
      const types = await typesOf(raw, id);
      expect(types.filter((type) => type === 'action.decided')).toHaveLength(1);
      for (const { status, body } of votes) {
        expect([200, 409]).toContain(status);
        expect(body).toMatchObject(
          status === 200 ? { decision } : { error: 'ALREADY_DECIDED', details: { decision } },
        );
      }
      const counted = votes.filter(({ status }) => status === 200).length;
      expect(types.filter((type) => type === 'approval.voted')).toHaveLength(counted);
      expect(counted).toBeGreaterThan(0);
    }
  });

  test('a vote and a withdrawal at one moment make one decision', async () => {
    const started = await startTestPlacet({ policy });
    const { agent, admin, placet } = started;
    const raw = await rawBroker(placet);
    const ids = await Promise.all(Array.from({ length: 10 }, () => held(started)));

    await Promise.all(
      ids.flatMap((id) => [admin.vote(id, { vote: 'approve' }), agent.call('DELETE', `/v1/check/${id}`)]),
    );

    for (const id of ids) {
      const types = await typesOf(raw, id);
      expect(types.filter((type) => type === 'action.decided')).toHaveLength(1);
      const { decision } = (await agent.answer(id)).body;
      await eventually(async () => expect(await typesOf(raw, id)).toContain('approval.closed'));
      expect((await agent.answer(id)).body.decision).toBe(decision);
    }
  });

  test('an execution reported many times at once is reported once', async () => {
    const { agent } = await startTestPlacet({ policy });
    const { action_id } = (await agent.check({ action_name: 'read.mail', payload: {} })).body;

    const report = () => agent.post(`/v1/check/${action_id}/execution`, { status: 'success' });
    const statuses = (await Promise.all(Array.from({ length: 10 }, report))).map(({ status }) => status);

    expect(statuses.sort()).toEqual([201, ...Array(9).fill(409)]);
  });

  test('the stream refuses a second decision, whatever its publisher forgets', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const { action_id } = (await agent.check({ action_name: 'drop.table', payload: {} })).body;
    const raw = await rawBroker(placet);
    const before = await messagesIn(raw);
    const subject = subjectFor('action.decided', { agent: agentName, action_id });

    await expect(raw.js.publish(subject, '{}')).rejects.toThrow(/maximum messages per subject/);
    await expect(raw.js.publish(subject, '{}', { msgID: 'another' })).rejects.toThrow();

    expect(await messagesIn(raw)).toEqual(before);
    expect((await agent.answer(action_id)).body.decision).toBe('denied');
  });

  test('the stream refuses to forget: no purge, no delete, and no way to allow them', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    await agent.check({ action_name: 'drop.table', payload: {} });
    const raw = await rawBroker(placet);
    const before = await messagesIn(raw);
    const { streams } = raw.jsm;

    await expect(streams.purge(eventStream)).rejects.toThrow(/not permitted|denied|sealed/i);
    await expect(streams.deleteMessage(eventStream, 1, true)).rejects.toThrow();
    await expect(streams.deleteMessage(eventStream, 1, false)).rejects.toThrow();
    const { config } = await streams.info(eventStream);
    await expect(streams.update(eventStream, { ...config, deny_purge: false })).rejects.toThrow();
    await expect(streams.update(eventStream, { ...config, deny_delete: false })).rejects.toThrow();

    expect(await messagesIn(raw)).toEqual(before);
  });
});
