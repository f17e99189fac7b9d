import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { decided, put, rawBroker, startWithLog, webhookReceiver } from './support.ts';

releaseAfterEach();

const secret = '4111-secret-4111';

test('what a rule redacts is shown to nobody who is asked, goes nowhere, and runs as it is', async () => {
  const { received, env } = await webhookReceiver();
  const started = await startWithLog(env);
  const { admin, agent, log, placet } = started;
  await put(
    started,
    'default',
    'version: 1\nrules:\n  - { action: pay, decide: require_approval, redact: [payload.card] }\n',
  );
  const payload = { card: secret, amount: 5 };
  const { body } = await agent.check({ action_name: 'pay', payload }, '?wait=0');
  const { body: approval } = await admin.get(`/v1/approvals/${body.action_id}`);
  expect(approval).toMatchObject({
    payload: { card: '[redacted]', amount: 5 },
    redacted: ['payload.card'],
    payload_digest: body.payload_digest,
  });
  const { payload_digest } = approval;
  await admin.post(`/v1/approvals/${body.action_id}/votes`, { vote: 'approve', payload_digest });
  await decided(agent, body.action_id, 'allowed');
  expect((await agent.answer(body.action_id)).body.payload_digest).toBe(payload_digest);

  await eventually(() => expect(received).toHaveLength(2));
  expect(JSON.stringify(received)).toContain('[redacted]');
  const lists = JSON.stringify((await admin.get('/v1/approvals?status=all')).body);
  for (const text of [JSON.stringify(received), lists, log.join('')]) expect(text).not.toContain(secret);
  // Of all that is stored only the request itself has it.
  const { jsm } = await rawBroker(placet);
  const { state } = await jsm.streams.info('PLACET');
  const holding: string[] = [];
  for (let seq = 1; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage('PLACET', { seq });
    if (message?.string().includes(secret)) holding.push(message.subject.split('.').slice(4).join('.'));
  }
  expect(holding).toEqual(['action.requested']);
});
