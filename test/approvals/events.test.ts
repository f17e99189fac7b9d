import { beforeAll, expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});

/** The events of an action, as a browser or any other reader of server-sent events gets them. */
async function follow(id: string) {
  const { url, agentKey } = shared();
  const response = await fetch(`${url}/v1/check/${id}/events`, {
    headers: { authorization: `Bearer ${agentKey}` },
  });
  if (!response.ok) return { response, next: async () => null, stop: async () => {} };
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  async function next(): Promise<{ event: string; data: Record<string, unknown> } | null> {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        if (lines[0]?.startsWith(':')) continue;
        const of = (name: string) => lines.find((line) => line.startsWith(name))?.slice(name.length) ?? '';
        return { event: of('event: '), data: JSON.parse(of('data: ')) };
      }
      const read = await reader?.read();
      if (!read || read.done) return null;
      text += read.value;
    }
  }
  return { response, next, stop: () => reader?.cancel() };
}

test('an agent follows an action to its decision, and the stream ends there', async () => {
  const id = await asked(shared(), 'pay.two');
  const { response, next } = await follow(id);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(await next()).toMatchObject({ event: 'pending', data: { approval: { votes: 0 } } });
  await cast.fay.vote(id, { vote: 'approve' });
  expect(await next()).toMatchObject({ event: 'pending', data: { approval: { votes: 1 } } });
  await cast.finn.vote(id, { vote: 'approve' });
  expect(await next()).toMatchObject({
    event: 'allowed',
    data: { action_id: id, proof: expect.any(String) },
  });
  expect(await next()).toBeNull();
});

test('what nobody asked for is an answer, not a stream', async () => {
  const { response } = await follow(`act_${'0'.repeat(32)}`);
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: 'ACTION_NOT_FOUND' });
});

test('whoever hangs up is not followed any longer', async () => {
  const id = await asked(shared(), 'pay.two');
  const { next, stop } = await follow(id);
  await next();
  await stop();
  await cast.fay.vote(id, { vote: 'reject' });
  expect((await shared().agent.answer(id)).body.decision).toBe('denied');
});
