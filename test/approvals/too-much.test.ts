import { eventStream } from '@placet/events';
import { releaseAfterEach, startTestPlacet } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { rawBroker, sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});
const approve = { vote: 'approve' };
const reject = { vote: 'reject' };
const times = (count: number) => Array.from({ length: count }, (_, n) => n);
type Person = Cast['fay'];
const comment = (person: Person, id: string, text: string) =>
  person.post(`/v1/approvals/${id}/comments`, { comment: text });

describe('one person', () => {
  test('who does something again and again is told that it is enough, and can still say no', async () => {
    const id = await asked(shared(), 'pay.majority');
    for (const n of times(20)) expect((await cast.fay.vote(id, n % 2 ? approve : reject)).status).toBe(200);
    expect((await cast.fay.vote(id, reject)).body.decision).toBe('pending');
    expect(await cast.fay.vote(id, approve)).toMatchObject({
      status: 409,
      body: { error: 'TOO_MANY_STEPS' },
    });
    const to = ['user:out@example.com'];
    const handed = await cast.fay.post(`/v1/approvals/${id}/reassignments`, { to });
    expect(handed.body.error).toBe('TOO_MANY_STEPS');
    expect((await cast.finn.vote(id, reject)).body.decision).toBe('denied');
  });

  test('cannot keep others from deciding by what they do again and again', async () => {
    const id = await asked(shared(), 'pay.two', { approvers: ['user:out@example.com'] });
    const hand = (to: string) => cast.out.post(`/v1/approvals/${id}/reassignments`, { to: [to] });
    for (const n of times(20)) expect((await hand(n % 2 ? 'role:clerk' : 'role:security')).status).toBe(200);
    expect(await hand('role:security')).toMatchObject({ status: 409, body: { error: 'TOO_MANY_STEPS' } });
    await cast.fay.vote(id, approve);
    await cast.finn.vote(id, approve);
    expect((await cast.flo.vote(id, reject)).body.decision).toBe('denied');
  });

  test('says no more than others can read', async () => {
    const id = await asked(shared(), 'pay.two');
    for (const _ of times(100)) expect((await comment(cast.fay, id, '語'.repeat(4000))).status).toBe(201);
    expect((await comment(cast.fay, id, 'more')).body.error).toBe('TOO_MANY_STEPS');
    expect((await cast.finn.get(`/v1/approvals/${id}`)).body.comments).toHaveLength(100);
    expect((await cast.finn.get('/v1/approvals')).status).toBe(200);
  });

  test('gives answers that others can read', async () => {
    const id = await asked(shared(), 'pay.two', { answer_schema: { type: 'string' } });
    const answer = (length: number) => cast.fay.vote(id, { ...approve, answer: 'x'.repeat(length) });
    expect(await answer(16_000)).toMatchObject({ status: 413, body: { error: 'BODY_TOO_LARGE' } });
    expect(await answer(15_000)).toMatchObject({ status: 200, body: { decision: 'pending' } });
    expect((await cast.finn.get(`/v1/approvals/${id}`)).body.votes[0].answer).toBe('[15002 characters]');
    expect((await cast.finn.vote(id, { ...approve, answer: 'x'.repeat(15_000) })).body.decision).toBe(
      'allowed',
    );
    expect((await shared().agent.answer(id)).body.answer).toHaveLength(15_000);
  });
});

describe('one agent', () => {
  const following = async () => {
    const text = await (await fetch(`${shared().url}/metrics`)).text();
    return Number(/^placet_waiting_callers (\d+)$/m.exec(text)?.[1]);
  };

  test('follows a hundred actions at a time, and who hangs up is forgotten', async () => {
    const { url, agentKey } = shared();
    const id = await asked(shared(), 'pay.two');
    const follow = async (signal?: AbortSignal) => {
      const response = await fetch(`${url}/v1/check/${id}/events`, {
        headers: { authorization: `Bearer ${agentKey}` },
        ...(signal ? { signal } : {}),
      });
      // The first event: it is followed from here on.
      await response.body?.getReader().read();
      return response.status;
    };
    // And once more, for those who are gone count no longer.
    for (const _ of times(2)) {
      const ends = new AbortController();
      const statuses = await Promise.all(times(100).map(() => follow(ends.signal)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(await following()).toBe(100);
      expect(await follow()).toBe(429);
      ends.abort();
      await expect.poll(following).toBe(0);
    }
  });

  test('sends no more than can be kept', async () => {
    const { agent } = shared();
    const large = `{"action_name":"pay.two","payload":{"a":[${'1e20,'.repeat(50_000)}1]}}`;
    for (const path of ['/v1/check', '/v1/actions/log'])
      expect(await agent.post(path, large)).toMatchObject({ status: 413, body: { error: 'BODY_TOO_LARGE' } });
  });
});

describe('what is left of a stream that is almost full', () => {
  releaseAfterEach();

  test('is for decisions: comments and changes wait, votes do not', async () => {
    const placet = await startTestPlacet({ policy: askingPolicy, env: { PLACET_STREAM_SIZE: '4MB' } });
    const { fay, mia } = await castOf(placet);
    const payload = { amount: 500, note: 'small' };
    const id = await asked(placet, 'pay.large', { payload, accepts: ['edits'], approvers: ['role:finance'] });
    const { payload_digest } = (await placet.agent.answer(id)).body;
    const others = await Promise.all(times(5).map((n) => asked(placet, 'pay.two', { payload: { n } })));
    const { jsm } = await rawBroker(placet.placet);
    let n = 0;
    const fill = async () => {
      const filling = { action_name: 'read.mail', payload: { n: n++, text: 'x'.repeat(20_000) } };
      await placet.agent.check(filling);
      const { state, config } = await jsm.streams.info(eventStream);
      return state.bytes / config.max_bytes;
    };
    await expect.poll(fill, { timeout: 30_000, interval: 1 }).toBeGreaterThan(0.8);
    const full = { status: 503, body: { error: 'STORE_FULL' } };
    let said = 0;
    const commentMore = () => comment(fay, others[said++ % 5] ?? '', '語'.repeat(4000));
    await expect.poll(commentMore, { timeout: 30_000, interval: 5 }).toMatchObject(full);
    const change = { changes: { 'payload.amount': 400 }, payload_digest };
    expect(await mia.post(`/v1/approvals/${id}/edits`, change)).toMatchObject(full);
    expect((await mia.vote(id, approve)).body.decision).toBe('pending');
    expect((await fay.vote(id, reject)).body.decision).toBe('denied');
  });
});
