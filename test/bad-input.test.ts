import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentNamed, held, messageCount, sharedPlacet } from './support.ts';

const shared = sharedPlacet();
let before = 0;
beforeEach(async () => {
  before = await messageCount(shared().raw);
});
const nothingIsStored = async () => expect(await messageCount(shared().raw)).toBe(before);

const body = (payload: string) => `{"action_name":"read.mail","payload":${payload}}`;
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const paths = (reply: { body: { details?: { path: string }[] } }) =>
  (reply.body.details ?? []).map(({ path }) => path);

describe('what is refused', () => {
  afterEach(nothingIsStored);

  test.each([
    ['a text', 'hello'],
    ['NaN', body('{"amount":NaN}')],
    ['Infinity', body('{"amount":Infinity}')],
    ['a trailing comma', body('{"amount":1,}')],
    ['a comment', body('{/* */}')],
    ['half of it', body('{"amount":1').slice(0, -1)],
    ['single quotes', "{'action_name':'read.mail'}"],
    ['two documents', `${body('{}')}${body('{}')}`],
    ['a leading zero', body('{"amount":01}')],
    ['a raw line feed in a text', body('{"note":"a\nb"}')],
  ])('%s is not JSON: 400', async (_name, text) => {
    expect(await shared().agent.check(text)).toMatchObject({ status: 400, body: { error: 'NOT_JSON' } });
  });

  test('bytes that are not UTF-8 are not JSON: 400', async () => {
    const { url, agentKey } = shared();
    const response = await fetch(`${url}/v1/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${agentKey}`, 'content-type': 'application/json' },
      body: Buffer.concat([Buffer.from('{"action_name":"'), Buffer.from([0xff]), Buffer.from('"}')]),
    });

    expect(response.status).toBe(400);
  });

  test.each([
    ['a number that loses digits', body('{"id":9007199254740993}'), 'payload.id'],
    ['a fraction that loses digits', body('{"n":[0.1234567890123456789]}'), 'payload.n[0]'],
    ['a number beyond every double', body('{"n":1e400}'), 'payload.n'],
    ['a key that stands twice', body('{"a":{"b":1,"b":2}}'), 'payload.a.b'],
    ['a field that stands twice', '{"action_name":"a","action_name":"b"}', 'action_name'],
    ['an escaped key that stands twice', body('{"a":1,"\\u0061":2}'), 'payload.a'],
    ['__proto__', body('{"__proto__":{"admin":true}}'), 'payload.__proto__'],
    ['half of a surrogate pair', body('{"text":"\\ud800"}'), 'payload.text'],
    ['half of a surrogate pair in a key', body('{"\\udfff":1}'), 'payload["\\udfff"]'],
  ])('%s is named by its path: 422', async (_name, text, path) => {
    const reply = await shared().agent.check(text);

    expect(reply).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
    expect(paths(reply).map((found) => found.replaceAll(/[^\x20-\x7e]/g, '?'))).toEqual([
      path.replaceAll(/[^\x20-\x7e]/g, '?'),
    ]);
  });

  test.each(['{', '['])('nested more than 64 deep with %s: 422', async (open) => {
    const deep = open === '{' ? nested(100) : `{"a":${'['.repeat(100)}${']'.repeat(100)}}`;

    expect(await shared().agent.check(body(deep))).toMatchObject({
      status: 422,
      body: { error: 'VALIDATION_ERROR' },
    });
    const bottomless = `{"payload":${'['.repeat(100_000)}`;
    expect((await shared().agent.check(bottomless)).status).toBe(400);
  });

  test.each([
    [
      'several problems at once',
      { payload: [], tags: 'x', wait: 3 },
      ['action_name', 'payload', 'tags', 'wait'],
    ],
    ['an unknown field', { action_name: 'a', payload: {}, aproved: true }, ['aproved']],
    ['an empty name', { action_name: '', payload: {} }, ['action_name']],
    ['a name too long', { action_name: 'a'.repeat(201), payload: {} }, ['action_name']],
    ['a control character in a name', { action_name: 'a\u0000b', payload: {} }, ['action_name']],
    ['a number for a name', { action_name: 7, payload: {} }, ['action_name']],
    ['null for a payload', { action_name: 'a', payload: null }, ['payload']],
    ['an empty key', { action_name: 'a', payload: {}, idempotency_key: '' }, ['idempotency_key']],
    ['a policy that is no name', { action_name: 'a', payload: {}, policy: '../x' }, ['policy']],
    ['a tag that is no text', { action_name: 'a', payload: {}, tags: ['x', 1] }, ['tags[1]']],
    ['a priority that is none', { action_name: 'a', payload: {}, priority: 'asap' }, ['priority']],
    ['a timeout without a unit', { action_name: 'a', payload: {}, timeout: '15' }, ['timeout']],
    ['a timeout too short', { action_name: 'a', payload: {}, timeout: '10ms' }, ['timeout']],
    ['a timeout too long', { action_name: 'a', payload: {}, timeout: '7d' }, ['timeout']],
    ['an array', [], ['']],
    ['a text in quotes', '"hello"', ['']],
    ['null', 'null', ['']],
    ['nothing', '', ['']],
  ])('%s: 422 with every path', async (_name, sent, expected) => {
    const reply = await shared().agent.check(sent);

    expect(reply).toMatchObject({ status: 422, body: { error: 'VALIDATION_ERROR' } });
    expect(paths(reply).sort()).toEqual(expected.sort());
    for (const { message } of reply.body.details) expect(message).toMatch(/\w/);
  });

  test.each(['wait=61', 'wait=abc', 'wait=-1', 'wait=NaN', 'wait=Infinity', 'wait=1&wait=2'])(
    '?%s: 422',
    async (query) => {
      const { agent } = shared();
      const asked = { action_name: 'read.mail', payload: {} };

      for (const reply of [
        await agent.check(asked, `?${query}`),
        await agent.answer(`act_${'0'.repeat(32)}`, `?${query}`),
      ]) {
        expect(reply).toMatchObject({ status: 422, body: { details: [{ path: 'wait' }] } });
      }
    },
  );

  test('a moment beyond the year 9999, which would sort before all others: 422', async () => {
    const reply = await shared().admin.get(
      `/v1/audit?until=${encodeURIComponent('9999-12-31T23:59:59-01:00')}`,
    );
    expect(reply).toMatchObject({ status: 422, body: { details: [{ path: 'until' }] } });
  });

  test.each([
    'x',
    'act_',
    `act_${'0'.repeat(31)}`,
    `act_${'G'.repeat(32)}`,
    `act_${'0'.repeat(32)}.>`,
    '*',
    '%00',
    '..%2f',
  ])('the id %s is nobody’s: 404', async (id) => {
    const { agent, admin } = shared();
    for (const reply of [
      await agent.answer(id),
      await agent.call('DELETE', `/v1/check/${id}`),
      await agent.post(`/v1/check/${id}/execution`, { status: 'success' }),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { error: 'ACTION_NOT_FOUND' } });
    }
    for (const reply of [await admin.vote(id, { vote: 'approve' }), await admin.get(`/v1/approvals/${id}`)]) {
      expect(reply).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
    }
  });

  test('an unknown action: 404, and nothing more', async () => {
    const { agent, admin } = shared();
    const id = `act_${'0'.repeat(32)}`;

    for (const reply of [
      await agent.answer(id),
      await agent.answer(id, '?wait=1'),
      await agent.call('DELETE', `/v1/check/${id}`),
      await agent.post(`/v1/check/${id}/execution`, { status: 'success' }),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { error: 'ACTION_NOT_FOUND' } });
    }
    expect((await admin.vote(id, { vote: 'approve' })).status).toBe(404);
    expect((await admin.get(`/v1/approvals/${id}`)).status).toBe(404);
  });

  test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data'])(
    'the content type %s: 415',
    async (type) => {
      const reply = await shared().agent.call('POST', '/v1/check', body('{}'), { 'content-type': type });

      expect(reply).toMatchObject({ status: 415, body: { error: 'UNSUPPORTED_MEDIA_TYPE' } });
    },
  );

  test.each(['/v1/nothing', '/V1/check', '/v1/check/%zz', '//', `/${'x'.repeat(3000)}`])(
    'the path %s: 404 in our form',
    async (path) => {
      const reply = await shared().agent.get(path);

      expect(reply).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
      expect(reply.body.request_id).toMatch(/^req_/);
    },
  );

  test.each([
    ['no vote', {}, ['vote']],
    ['a vote that is none', { vote: 'maybe' }, ['vote']],
    ['an empty comment', { vote: 'approve', comment: '' }, ['comment']],
    ['a comment too long', { vote: 'approve', comment: 'x'.repeat(4001) }, ['comment']],
  ])('%s: 422', async (_name, vote, expected) => {
    const reply = await shared().admin.vote(`act_${'0'.repeat(32)}`, vote);

    expect(reply.status).toBe(422);
    expect(paths(reply)).toEqual(expected);
  });

  test.each(['status=open', 'limit=0', 'limit=201', 'limit=x', 'cursor=x', 'cursor=-1'])(
    'the list of approvals with %s: 422',
    async (query) => {
      const reply = await shared().admin.get(`/v1/approvals?${query}`);

      expect(reply.status).toBe(422);
      expect(paths(reply)).toEqual([query.split('=')[0]]);
    },
  );

  test.each(['from=yesterday', 'agent=A!', 'action=x', 'limit=501', 'cursor=x'])(
    'the record with %s: 422',
    async (query) => {
      const reply = await shared().admin.get(`/v1/audit?${query}`);

      expect(reply.status).toBe(422);
      expect(paths(reply)).toEqual([query.split('=')[0]]);
    },
  );
});

describe('what looks bad and is harmless', () => {
  test('names of JavaScript’s own are payload like any other', async () => {
    const { agent } = shared();
    const odd = '{"constructor":{"prototype":1},"toString":2,"hasOwnProperty":3,"":4,"$ref":"x","a.b":5}';

    const reply = await agent.check(`{"action_name":"refund.create","payload":${odd}}`);

    const shown = await shared().admin.get(`/v1/approvals/${reply.body.action_id}`);
    expect(shown.body.payload).toEqual(JSON.parse(odd));
  });

  test('64 levels are not too deep', async () => {
    const reply = await shared().agent.check(body(nested(63)));

    expect(reply.body.decision).toBe('allowed');
  });

  test('a payload may be left out, and a content type may name its charset', async () => {
    const reply = await shared().agent.call('POST', '/v1/check', '{"action_name":"read.mail"}', {
      'content-type': 'application/json; charset=utf-8',
    });

    expect(reply.body.decision).toBe('allowed');
  });

  test("another agent's action is not there", async () => {
    const stranger = await agentNamed(shared(), 'stranger');
    const id = await held(shared());

    expect((await stranger.answer(id)).body).toEqual({
      ...(await stranger.answer(`act_${'0'.repeat(32)}`)).body,
      request_id: expect.any(String),
    });
  });
});
