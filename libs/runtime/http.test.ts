import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { Refusal, StoreFull, Unavailable } from './errors.ts';
import { type App, bodyBytesMax, createApp } from './http.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';

const json = { 'content-type': 'application/json' };
const open: App[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

const Order = z.strictObject({
  name: z.string().min(1),
  items: z.array(z.strictObject({ count: z.number() })),
  note: z.string().optional(),
});

function start(unready: string[] = []) {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const app = createApp({ logger, metrics: createMetrics(), unready: () => unready });
  open.push(app);
  const querystring = z.strictObject({ wait: z.coerce.number().optional() });
  app.post('/orders', { schema: { body: Order, querystring } }, ({ body }) => body);
  app.get(
    '/orders',
    { schema: { querystring: z.strictObject({ limit: z.coerce.number().max(10) }) } },
    () => ({}),
  );
  app.get('/throws/:what', { schema: { params: z.object({ what: z.string() }) } }, ({ params }) => {
    throw thrown[params.what];
  });
  app.get('/breaks-its-word', { schema: { response: { 200: z.object({ n: z.number() }) } } }, (() => ({
    n: 'hunter2',
  })) as never);
  const post = (payload: string | Buffer, headers: Record<string, string> = json) =>
    app.inject({ method: 'POST', url: '/orders', payload, headers });
  return { app, post, lines };
}

const thrown: Record<string, unknown> = {
  refusal: new Refusal('STALE_PAYLOAD', { details: { digest: 'sha256:1' } }),
  limited: new Refusal('RATE_LIMITED', { retryAfterS: 12 }),
  full: new StoreFull('at its cap: hunter2'),
  away: new Unavailable('no answer from hunter2'),
  error: new Error('hunter2'),
  text: 'hunter2',
  nothing: null,
  posing: Object.assign(new Error('hunter2'), { statusCode: 200, code: 'OK' }),
};

test('every answer has a request id of its own, the same in header and body', async () => {
  const { app } = start();
  const [one, other] = await Promise.all([app.inject('/nowhere'), app.inject('/nowhere')]);
  expect(one.headers['x-request-id']).toMatch(/^req_[0-9a-f-]{36}$/);
  expect(one.json().request_id).toBe(one.headers['x-request-id']);
  expect(other.headers['x-request-id']).not.toBe(one.headers['x-request-id']);
  expect((await app.inject('/health')).headers['x-request-id']).toMatch(/^req_/);
});

test.each([
  ['PUT', '/orders', 'GET, HEAD, POST'],
  ['DELETE', '/throws/x?y=1', 'GET, HEAD'],
  ['POST', '/health', 'GET, HEAD'],
] as const)('%s %s, which is there for other methods, is told which', async (method, url, allow) => {
  const { app } = start();
  const answer = await app.inject({ method, url });
  expect([answer.statusCode, answer.json().error]).toEqual([405, 'METHOD_NOT_ALLOWED']);
  expect(answer.headers['allow']).toBe(allow);
  expect(answer.json().message).toBe(`This path takes ${allow.replaceAll(', ', ' or ')}, not ${method}.`);
});

test('a path that is not there by any method is not found', async () => {
  const { app } = start();
  const answer = await app.inject({ method: 'PUT', url: '/throws/x/y' });
  expect([answer.statusCode, answer.headers['allow']]).toEqual([404, undefined]);
});

test('a caller cannot choose the request id', async () => {
  const { app } = start();
  const answer = await app.inject({
    url: '/health',
    headers: { 'x-request-id': 'mine', 'request-id': 'mine' },
  });
  expect(answer.headers['x-request-id']).not.toBe('mine');
});

describe('what does not fit is refused with the path of each problem', () => {
  test('in the body, unknown fields by their own paths', async () => {
    const { post } = start();
    const answer = await post('{"name":"","items":[{"count":"x"},{"count":1,"odd":2}],"extra":1,"more":2}');
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    const { error, details } = answer.json();
    expect(error).toBe('VALIDATION_ERROR');
    expect(details.map((d: { path: string }) => d.path).sort()).toEqual(
      ['extra', 'items[0].count', 'items[1].odd', 'more', 'name'].sort(),
    );
    for (const { message } of details) expect(message).toBeTruthy();
  });

  test.each([
    ['{"items":[]}', 'name: This field is missing: it has to be text.'],
    ['{"name":"a","items":{}}', 'items: It has to be a list, and is an object.'],
    ['{"name":"a","items":[{"count":"x"}]}', 'items[0].count: It has to be a number, and is text.'],
    [
      '{"name":"a","items":[],"Note":1}',
      'Note: This field is unknown. Remove it; Placet ignores nothing. Did you mean note?',
    ],
    ['{"name":"a","items":[],"wait":1}', 'wait: This field is unknown here: it belongs into the query.'],
    ['{"name":1,"items":1}', 'name: It has to be text, and is a number. And 1 more: see details.'],
    ['', 'The body is empty: send a JSON object.'],
  ])('%s: in words, the first of them in the message', async (payload, message) => {
    const { post } = start();
    const answer = await post(payload);
    expect([answer.statusCode, answer.json().message]).toEqual([422, `The request does not fit. ${message}`]);
  });

  test('in the query', async () => {
    const { app } = start();
    const answer = await app.inject('/orders?limit=11&odd=1');
    expect(answer.statusCode).toBe(422);
    expect(
      answer
        .json()
        .details.map((d: { path: string }) => d.path)
        .sort(),
    ).toEqual(['limit', 'odd']);
  });

  test('in the query of a path that takes none', async () => {
    const { app } = start();
    const answer = await app.inject('/throws/refusal?odd=1');
    expect(answer.statusCode).toBe(422);
    expect(answer.json().details.map((d: { path: string }) => d.path)).toEqual(['odd']);
  });

  test('a body that is not there', async () => {
    const { app, post } = start();
    expect((await post('')).statusCode).toBe(422);
    expect((await app.inject({ method: 'POST', url: '/orders' })).statusCode).toBe(422);
  });
});

describe('the body is read strictly', () => {
  test.each([
    ['no JSON', 'hello'],
    ['half of it', '{"name":"a"'],
    ['NaN', '{"name":NaN}'],
    ['a comment', '{"name":"a" /* x */}'],
    ['two texts', '{} {}'],
    ['a byte order mark', '\uFEFF{}'],
  ])('%s is 400', async (_what, text) => {
    const { post } = start();
    const answer = await post(text);
    expect([answer.statusCode, answer.json().error]).toEqual([400, 'NOT_JSON']);
  });

  test('bytes that are not UTF-8 are 400', async () => {
    const { post } = start();
    expect((await post(Buffer.from([0x22, 0xff, 0x22]))).json().error).toBe('NOT_JSON');
  });

  test.each([
    ['the same key twice', '{"name":"a","items":[],"name":"b"}'],
    ['__proto__', '{"name":"a","items":[],"__proto__":{"x":1}}'],
    ['a number that loses digits', '{"name":"a","items":[{"count":12345678901234567890}]}'],
    ['half of a character', '{"name":"\\ud800","items":[]}'],
    ['a depth without end', '['.repeat(1000) + ']'.repeat(1000)],
  ])('%s is 422', async (_what, text) => {
    const { post } = start();
    const answer = await post(text);
    expect([answer.statusCode, answer.json().error]).toEqual([422, 'VALIDATION_ERROR']);
    expect(answer.json().details).toHaveLength(1);
  });

  test('a good one comes through', async () => {
    const { post } = start();
    const order = { name: 'a', items: [{ count: 1.5 }] };
    const answer = await post(JSON.stringify(order), { 'content-type': 'application/json; charset=utf-8' });
    expect(answer.json()).toEqual(order);
  });
});

test('a body over the limit is 413, one at the limit is not', async () => {
  const { post } = start();
  const sized = (bytes: number) => `{"name":"${'x'.repeat(bytes - 22)}","items":[]}`.padEnd(bytes);
  expect((await post(sized(bodyBytesMax))).statusCode).toBe(200);
  const answer = await post(sized(bodyBytesMax + 1));
  expect([answer.statusCode, answer.json().error]).toEqual([413, 'BODY_TOO_LARGE']);
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'nonsense'])(
  'a body of type %s is 415',
  async (type) => {
    const { post } = start();
    const answer = await post('{"name":"a","items":[]}', { 'content-type': type });
    expect([answer.statusCode, answer.json().error]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
  },
);

test.each([
  ['unknown', '/nowhere'],
  ['in another case', '/ORDERS'],
  ['with a slash more', '/orders/'],
  ['with dots', '/orders/../x'],
  ['not decodable', '/%zz'],
  ['too long', `/throws/${'x'.repeat(300)}`],
])('a path that is %s is 404 in the one form of errors', async (_what, url) => {
  const { app } = start();
  const answer = await app.inject(url);
  expect([answer.statusCode, answer.json().error]).toEqual([404, 'NOT_FOUND']);
  expect(answer.json().request_id).toBe(answer.headers['x-request-id']);
});

describe('what a handler throws', () => {
  test('a refusal is answered with its code, words and details', async () => {
    const { app } = start();
    const answer = await app.inject('/throws/refusal');
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toEqual({
      error: 'STALE_PAYLOAD',
      message: expect.stringContaining('has changed'),
      details: { digest: 'sha256:1' },
      request_id: answer.headers['x-request-id'],
    });
  });

  test('a refusal can say how long to wait', async () => {
    const { app } = start();
    const answer = await app.inject('/throws/limited');
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '12']);
    expect((await app.inject('/throws/refusal')).headers['retry-after']).toBeUndefined();
  });

  test.each([
    ['full', 503, 'STORE_FULL', '30'],
    ['away', 503, 'UNAVAILABLE', '1'],
  ])('%s is %i %s with Retry-After, and no inner words', async (what, status, code, wait) => {
    const { app } = start();
    const answer = await app.inject(`/throws/${what}`);
    expect([answer.statusCode, answer.json().error, answer.headers['retry-after']]).toEqual([
      status,
      code,
      wait,
    ]);
    expect(answer.body).not.toContain('hunter2');
  });

  test.each(['error', 'text', 'nothing', 'posing'])(
    'what nobody expected (%s) is 500 INTERNAL, without its words',
    async (what) => {
      const { app, lines } = start();
      const answer = await app.inject(`/throws/${what}`);
      expect([answer.statusCode, answer.json().error]).toEqual([500, 'INTERNAL']);
      expect(answer.body).not.toContain('hunter2');
      expect(lines.join()).toContain(String(answer.headers['x-request-id']));
    },
  );

  test('an answer that breaks its own schema is 500 and not sent', async () => {
    const { app } = start();
    const answer = await app.inject('/breaks-its-word');
    expect([answer.statusCode, answer.json().error]).toEqual([500, 'INTERNAL']);
    expect(answer.body).not.toContain('hunter2');
  });
});

describe('health, readiness, metrics', () => {
  test('alive is alive, also when not ready', async () => {
    expect((await start(['policy: away']).app.inject('/health')).json()).toEqual({ status: 'up' });
  });

  test('ready says yes, or 503 and in words why not', async () => {
    const yes = await start().app.inject('/ready');
    expect([yes.statusCode, yes.json()]).toEqual([200, { ready: true, unready: [] }]);
    const no = await start(['policy: away']).app.inject('/ready');
    expect([no.statusCode, no.json()]).toEqual([503, { ready: false, unready: ['policy: away'] }]);
  });

  test('metrics count answers by route, method and status, never by the path that was asked', async () => {
    const { app, post } = start();
    await post('{}');
    await app.inject('/some-secret-id');
    await app.inject('/throws/error');
    const answer = await app.inject('/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    const counts = answer.body.split('\n').filter((line) => line.startsWith('placet_http_seconds_count'));
    expect(counts).toContain('placet_http_seconds_count{route="/orders",method="POST",status="422"} 1');
    expect(counts).toContain('placet_http_seconds_count{route="/throws/:what",method="GET",status="500"} 1');
    expect(answer.body).not.toContain('some-secret-id');
  });
});

test('who still comes while the server closes is told in the one form of errors to ask again', async () => {
  const { app } = start();
  let finish = () => {};
  const held = new Promise<void>((done) => {
    finish = done;
  });
  let isClosing = () => {};
  const begun = new Promise<void>((done) => {
    isClosing = done;
  });
  app.addHook('preClose', async () => {
    isClosing();
    await held;
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const closed = app.close();
  await begun;
  const late = await fetch(`${url}/health`);
  finish();
  await closed;

  expect({ status: late.status, body: await late.json() }).toEqual({
    status: 503,
    body: {
      error: 'UNAVAILABLE',
      message: expect.any(String),
      request_id: late.headers.get('x-request-id'),
    },
  });
  expect(late.headers.get('retry-after')).toBe('1');
});
