import { createClient, eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, decided, held, messageCount, policy, rawBroker, wholeRecord } from '../support.ts';

releaseAfterEach();

const reading = { action_name: 'read.mail', payload: {} };

describe('rule 10: everything has a limit', () => {
  test('a body of more than 256 KB is refused, and one of just that is taken', async () => {
    const { agent, admin } = await startTestPlacet({ policy });
    const bodyOf = (bytes: number) => {
      const frame = JSON.stringify({ ...reading, payload: { text: '' } });
      return JSON.stringify({ ...reading, payload: { text: 'x'.repeat(bytes - frame.length) } });
    };

    expect(await agent.check(bodyOf(256 * 1024 + 1))).toMatchObject({
      status: 413,
      body: { error: 'BODY_TOO_LARGE' },
    });
    expect((await agent.check(bodyOf(256 * 1024))).body.decision).toBe('allowed');
    const long = `version: 1\n# ${'x'.repeat(256 * 1024)}`;
    expect((await admin.put('/v1/policies/default', long)).status).toBe(413);
  });

  test('a payload that grows when it is written out is carried, and held like any other', async () => {
    const { agent } = await startTestPlacet({ policy });
    const numbers = `[${Array(40_000).fill('1e20').join(',')}]`;

    const reply = await agent.check(`{"action_name":"refund.create","payload":{"numbers":${numbers}}}`);

    expect(reply).toMatchObject({ status: 200, body: { decision: 'pending', approval: {} } });
  });

  test('lists of large approvals and large records come in pages that can be carried', async () => {
    const started = await startTestPlacet({ policy });
    const { admin } = started;
    const text = '"'.repeat(120 * 1024);
    const ids = await Promise.all(
      Array.from({ length: 24 }, (_, i) => held(started, { payload: { i, text } })),
    );

    await eventually(async () => {
      const listed: string[] = [];
      for (let cursor = ''; ; ) {
        const page = await admin.get(`/v1/approvals?limit=200${cursor && `&cursor=${cursor}`}`);
        expect(page.status).toBe(200);
        listed.push(...page.body.approvals.map(({ id }: { id: string }) => id));
        if (page.body.next === null) break;
        cursor = page.body.next;
      }
      expect(listed.sort()).toEqual(ids.sort());
    });
    await eventually(async () => {
      const types = (await wholeRecord(started)).map(({ type }) => type);
      expect(types.filter((type) => type === 'approval.needed')).toHaveLength(24);
    });
  });

  test('a key that asks too often waits, as Retry-After says, and others do not', async () => {
    const started = await startTestPlacet({ policy, env: { PLACET_RATE_PER_KEY: '5' } });
    const other = await agentNamed(started, 'other');

    const replies = [];
    for (let i = 0; i < 7; i++) replies.push(await started.agent.check(reading));

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(replies[5]?.body.error).toBe('RATE_LIMITED');
    expect(Number(replies[5]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await other.check(reading)).status).toBe(200);
  });

  test('an address that asks too often waits, whatever it shows', async () => {
    const { url, agent } = await startTestPlacet({ policy, env: { PLACET_RATE_PER_ADDRESS: '10' } });

    const statuses = [];
    for (let i = 0; i < 12; i++) {
      statuses.push((await createClient(url, `guess-${i}`).answer('x')).status);
    }

    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const refused = await agent.check(reading);
    expect(refused).toMatchObject({ status: 429, body: { error: 'RATE_LIMITED' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const disguised = await agent.call('GET', '/docs/json', undefined, { 'x-forwarded-for': '192.0.2.1' });
    expect(disguised.status).toBe(429);
    // A probe that is turned away would have a busy gateway restarted.
    expect((await agent.get('/health')).status).toBe(200);
  });

  test('a full stream takes no new request, and what it took is still decided', async () => {
    const started = await startTestPlacet({ policy, env: { PLACET_STREAM_SIZE: '4MB' } });
    const { agent, admin, placet } = started;
    const raw = await rawBroker(placet);
    const open = [await held(started), await held(started), await held(started, { timeout: '5s' })];
    const payload = { text: 'x'.repeat(20_000) };

    // As fast as it can be, so that the room that is kept back has to be kept between two looks at the stream too.
    let refused: Awaited<ReturnType<typeof agent.check>> | undefined;
    while (!refused) {
      const asked = { action_name: 'refund.create', payload };
      const replies = await Promise.all(Array.from({ length: 16 }, () => agent.check(asked)));
      refused = replies.find(({ status }) => status !== 200);
    }

    expect(refused).toMatchObject({ status: 503, body: { error: 'STORE_FULL' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await eventually(async () => expect((await agent.check(reading)).body.error).toBe('STORE_FULL'));
    // For what is smaller there may be room for a little longer.
    const log = () => agent.post('/v1/actions/log', { action_name: 'x' });
    await eventually(async () => expect((await log()).body.error).toBe('STORE_FULL'));
    expect((await admin.vote(open[0] ?? '', { vote: 'approve' })).body.decision).toBe('allowed');
    expect((await admin.vote(open[1] ?? '', { vote: 'reject' })).body.decision).toBe('denied');
    await decided(agent, open[2] ?? '', 'denied');
    expect((await agent.post(`/v1/check/${open[0]}/execution`, { status: 'success' })).status).toBe(201);
    const { config, state } = await raw.jsm.streams.info('PLACET');
    expect(state.bytes).toBeLessThanOrEqual(config.max_bytes);
    expect(await messageCount(raw)).toBe(state.messages);
    // Everything that was accepted has its verdict.
    await eventually(async () => {
      const { num_pending, num_ack_pending } = await raw.jsm.consumers.info('PLACET', 'policy');
      expect({ num_pending, num_ack_pending }).toEqual({ num_pending: 0, num_ack_pending: 0 });
    });
  });
});
