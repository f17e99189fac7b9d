import { randomUUID } from 'node:crypto';
import { headers } from '@nats-io/transport-node';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { alarmKinds, held, messagesIn, policy, put, rawBroker, webhookReceiver } from './support.ts';

releaseAfterEach();

/** What somebody with a stolen broker credential, but without the seal key, tried against a running Placet. */
describe('a stolen credential', () => {
  test('puts a genuine decision in the place of another request: nothing is allowed by it', async () => {
    const { agent, placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const key = { idempotency_key: 'once' };
    const small = await agent.check({ action_name: 'read.mail', payload: { amount: 1 }, ...key });
    expect(small.body.decision).toBe('allowed');
    const id: string = small.body.action_id;
    const decided = (await messagesIn(raw)).find(({ event }) => event.type === 'action.decided');
    if (!decided) throw new Error('there is a decision');

    // The stream is made to forget the action, which its rules do not prevent.
    const { config } = await raw.jsm.streams.info('PLACET');
    const forgetful = { max_age: 1_000_000_000, duplicate_window: 500_000_000 };
    await raw.jsm.streams.update('PLACET', { ...config, ...forgetful });
    await eventually(async () => expect((await raw.jsm.streams.info('PLACET')).state.messages).toBe(0));
    await raw.jsm.streams.update('PLACET', config);

    await placet.stop('policy');
    const other = agent.check({ action_name: 'read.mail', payload: { amount: 1_000_000 }, ...key });
    await eventually(async () => expect(await messagesIn(raw)).toHaveLength(1));
    const h = headers();
    h.set('Placet-Seal', decided.seal);
    raw.nc.publish(decided.subject.replace(/^placet/, 'placetlive'), decided.text, { headers: h });
    await raw.js.publish(decided.subject, decided.text, { headers: h, msgID: randomUUID() });

    expect((await other).body.decision).not.toBe('allowed');
    expect((await agent.answer(id)).body.decision).toBe('denied');
  });

  test('has a question answered into the place of another: the answer is dropped', async () => {
    const started = await startTestPlacet({ policy });
    const { admin, placet } = started;
    const raw = await rawBroker(placet);
    const [one, two] = [await held(started), await held(started)];
    const overheard: { data: Uint8Array; seal: string }[] = [];
    const thief = raw.nc.subscribe('placetrpc.decisions.approval', {
      queue: 'decisions',
      callback: (_error, message) => {
        const seal = message.headers?.get('Placet-Seal') ?? '';
        const asked = JSON.parse(new TextDecoder().decode(message.data)) as { data: { action_id: string } };
        if (asked.data.action_id === one) {
          overheard.push({ data: message.data, seal });
          return;
        }
        // The honest service is asked the overheard question, and answers to whoever asked this one.
        const [first] = overheard;
        const h = headers();
        h.set('Placet-Seal', first?.seal ?? '');
        if (first && message.reply) {
          raw.nc.publish('placetrpc.decisions.approval', first.data, { headers: h, reply: message.reply });
        }
      },
    });
    await raw.nc.flush();
    const asking = async () => {
      for (let n = 0; overheard.length === 0 && n < 40; n++) {
        await Promise.race([admin.get(`/v1/approvals/${one}`), new Promise((r) => setTimeout(r, 200))]);
      }
    };
    await asking();
    expect(overheard.length).toBeGreaterThan(0);
    for (let n = 0; n < 6; n++) {
      const shown = await admin.get(`/v1/approvals/${two}`);
      if (shown.status === 200) expect(shown.body.id).toBe(two);
      else expect(shown.status).toBe(503);
    }
    thief.unsubscribe();
  });

  test('takes the place of an alarm beforehand: the alarm is on the record all the same', async () => {
    const { placet } = await startTestPlacet({ policy });
    const raw = await rawBroker(placet);
    const { createHash } = await import('node:crypto');
    const { state } = await raw.jsm.streams.info('PLACET');
    const forgedSeq = state.last_seq + 2;
    const cause = createHash('sha256').update(JSON.stringify(['wrong_seal', `PLACET/${forgedSeq}`]));
    await raw.js.publish(`placet.sys.alarm.raised.${cause.digest('hex').slice(0, 32)}`, '{}');
    await raw.js.publish(`placet.act.my-agent.act_${'1'.repeat(32)}.action.requested`, '{}');

    await eventually(async () => expect(await alarmKinds(raw)).toContain('wrong_seal'));
  });

  test('forges how an approval ended: no webhook says so, and an alarm does', async () => {
    const receiver = await webhookReceiver();
    const started = await startTestPlacet({ policy, env: receiver.env });
    const raw = await rawBroker(started.placet);
    const id = await held(started);
    await started.admin.vote(id, { vote: 'reject' });
    await eventually(() =>
      expect(receiver.received.map(({ body }) => body.type)).toContain('approval.closed'),
    );
    const closed = (await messagesIn(raw)).find(({ event }) => event.type === 'approval.closed');
    const forged = {
      ...closed?.event,
      id: randomUUID(),
      data: { ...closed?.event.data, decision: 'allowed' },
    };
    await raw.js.publish(
      `${closed?.subject.split('.').slice(0, -1).join('.')}.forged`,
      JSON.stringify(forged),
    );

    await eventually(async () => expect(await alarmKinds(raw)).toContain('proof_rejected'));
    const told = receiver.received.filter(({ body }) => body.type === 'approval.closed');
    expect(told.map(({ body }) => (body.data as { decision: string }).decision)).toEqual(['denied']);
  });
});

describe('policies', () => {
  test('can be taken away: the scope abstains again', async () => {
    const started = await startTestPlacet({ policy });
    const { agent, admin } = started;
    const reading = { action_name: 'read.mail', payload: {} };
    await put(started, 'agent:my-agent', 'version: 1\ndefault: deny\n');
    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));

    expect((await admin.delete('/v1/policies/agent:my-agent')).status).toBe(200);

    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('allowed'));
    expect((await admin.get('/v1/policies/agent:my-agent')).status).toBe(404);
    expect((await admin.delete('/v1/policies/agent:my-agent')).status).toBe(404);
    await put(started, 'agent:my-agent', 'version: 1\ndefault: deny\n');
    await eventually(async () => expect((await agent.check(reading)).body.decision).toBe('denied'));
  });

  test('of an agent that does not exist are refused', async () => {
    const { admin } = await startTestPlacet();
    const reply = await admin.put('/v1/policies/agent:nobody', 'version: 1\ndefault: deny\n');
    expect(reply).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
  });
});

test('a stream at its cap still answers what was asked before', async () => {
  const { agent } = await startTestPlacet({ policy, env: { PLACET_STREAM_SIZE: '4MB' } });
  const known = { action_name: 'read.mail', payload: {}, idempotency_key: 'known' };
  expect((await agent.check(known)).body.decision).toBe('allowed');
  const filling = { action_name: 'read.mail', payload: { text: 'x'.repeat(50_000) } };
  await eventually(async () => expect((await agent.check(filling)).body.error).toBe('STORE_FULL'), 60_000);
  expect((await agent.check(known)).body.decision).toBe('allowed');
});
