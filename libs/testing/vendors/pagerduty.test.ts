import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { releaseAfterEach, releaseAfterTest } from '../cleanup.ts';
import { createClient } from '../client.ts';
import { startFakePagerDuty } from './pagerduty.ts';
import { readBody } from './server.ts';

releaseAfterEach();

const routing_key = 'a'.repeat(32);
const payload = { summary: 'a refund waits', source: 'placet', severity: 'warning' };
const trigger = { routing_key, event_action: 'trigger', dedup_key: 'case-1', payload };
const resolve = { routing_key, event_action: 'resolve', dedup_key: 'case-1' };

async function started(options: Parameters<typeof startFakePagerDuty>[0] = {}) {
  const pagerDuty = await startFakePagerDuty(options);
  const client = createClient(pagerDuty.url);
  return { pagerDuty, send: (event: unknown) => client.post('/v2/enqueue', event) };
}

describe('an event', () => {
  it('opens an incident, once for a dedup key', async () => {
    const { pagerDuty, send } = await started();
    expect(await send(trigger)).toMatchObject({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: 'case-1' },
    });
    await send(trigger);
    expect(pagerDuty.incidents()).toMatchObject([
      { dedupKey: 'case-1', status: 'triggered', summary: 'a refund waits', events: [{}, {}] },
    ]);
    expect(pagerDuty.events).toHaveLength(2);
  });

  it('acknowledges and resolves it; a trigger after that opens another', async () => {
    const { pagerDuty, send } = await started();
    await send(trigger);
    await send({ ...resolve, event_action: 'acknowledge' });
    expect(pagerDuty.incidents()).toMatchObject([{ status: 'acknowledged' }]);
    await send(resolve);
    await send(resolve);
    expect(pagerDuty.incidents()).toMatchObject([{ status: 'resolved' }]);
    await send(trigger);
    expect(pagerDuty.incidents()).toMatchObject([{ status: 'resolved' }, { status: 'triggered' }]);
  });

  it('concerns the incidents of its own routing key', async () => {
    const other = 'b'.repeat(32);
    const { pagerDuty, send } = await started({ routingKeys: [routing_key, other] });
    await send(trigger);
    await send({ ...resolve, routing_key: other });
    expect(pagerDuty.incidents()).toMatchObject([{ status: 'triggered' }]);
  });

  it('gets a dedup key if it has none', async () => {
    const { send } = await started();
    const { body } = await send({ ...trigger, dedup_key: undefined });
    expect(body.dedup_key).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['dedup key', { dedup_key: 'x'.repeat(255) }],
    ['summary', { payload: { ...payload, summary: 'x'.repeat(1024) } }],
    ['links', { links: [{ href: 'https://example.com/case/1', text: 'Decide' }] }],
  ])('may reach the limit: %s', async (_, rest) => {
    const { send } = await started();
    expect(await send({ ...trigger, ...rest })).toMatchObject({ status: 202 });
  });

  it.each([
    ['a short routing key', { routing_key: 'a' }, "Length of 'routing_key' is incorrect"],
    ['an unknown routing key', { routing_key: 'b'.repeat(32) }, 'Invalid routing key'],
    ['an unknown action', { event_action: 'approve' }, "'event_action'"],
    ['a longer dedup key', { dedup_key: 'x'.repeat(256) }, "'dedup_key'"],
    ['no payload', { payload: undefined }, "'payload'"],
    ['a longer summary', { payload: { ...payload, summary: 'x'.repeat(1025) } }, "'payload.summary'"],
    ['an empty summary', { payload: { ...payload, summary: '' } }, "'payload.summary'"],
    ['no source', { payload: { ...payload, source: undefined } }, "'payload.source'"],
    ['another severity', { payload: { ...payload, severity: 'high' } }, "'payload.severity'"],
    ['a timestamp of another form', { payload: { ...payload, timestamp: 'now' } }, "'payload.timestamp'"],
    ['a link to nowhere', { links: [{ href: 'the inbox' }] }, "'links.0.href'"],
    ['an action on nothing', { event_action: 'resolve', dedup_key: undefined }, "'dedup_key'"],
  ])('is refused with %s', async (_, rest, message) => {
    const { pagerDuty, send } = await started();
    expect(await send({ ...trigger, ...rest })).toMatchObject({
      status: 400,
      body: { status: 'invalid event', errors: [expect.stringContaining(message)] },
    });
    expect(pagerDuty.events).toEqual([]);
  });

  it('is JSON, and not too large', async () => {
    const { send } = await started();
    expect(await send('{')).toMatchObject({ status: 400 });
    const huge = { ...payload, custom_details: { text: 'x'.repeat(512 * 1024) } };
    expect(await send({ ...trigger, payload: huge })).toMatchObject({ status: 413 });
  });
});

describe('the next events can fail', () => {
  it('with a status, a time to wait, or an error', async () => {
    const { pagerDuty, send } = await started();
    pagerDuty.failNext({ status: 503 }, 2);
    pagerDuty.failNext({ status: 429, retryAfter: 7 });
    pagerDuty.failNext('the service is disabled');
    expect(await send(trigger)).toMatchObject({ status: 503 });
    expect(await send(trigger)).toMatchObject({ status: 503 });
    const limited = await send(trigger);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await send(trigger)).toMatchObject({ status: 400, body: { errors: ['the service is disabled'] } });
    expect(pagerDuty.events).toEqual([]);
    expect(await send(trigger)).toMatchObject({ status: 202 });
  });

  it('without an answer', async () => {
    const { pagerDuty, send } = await started();
    pagerDuty.failNext('hang up');
    await expect(send(trigger)).rejects.toThrow();
    expect(pagerDuty.incidents()).toEqual([]);
    pagerDuty.failNext('answer lost');
    await expect(send(trigger)).rejects.toThrow();
    expect(pagerDuty.incidents()).toHaveLength(1);
    pagerDuty.failNext('hang');
    const hanging = expect(send(trigger)).rejects.toThrow();
    await pagerDuty.close();
    await hanging;
  });
});

describe('a webhook', () => {
  async function receiver() {
    const received: { headers: Record<string, unknown>; body: string }[] = [];
    const server = createServer(async (request, response) => {
      received.push({ headers: request.headers, body: (await readBody(request)).toString() });
      response.writeHead(202).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    releaseAfterTest('receiver', () => {
      server.closeAllConnections();
      return new Promise<void>((done) => server.close(() => done()));
    });
    return { received, to: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
  }
  const signatureOf = (secret: string, body = '') =>
    `v1=${createHmac('sha256', secret).update(body).digest('hex')}`;

  it('is signed over its body, and has an id', async () => {
    const { pagerDuty } = await started();
    const { received, to } = await receiver();
    const body = { event: { event_type: 'incident.acknowledged' } };
    expect(await pagerDuty.sendWebhook(to, 'secret', { body, id: 'one' })).toMatchObject({ status: 202 });
    expect(received).toEqual([
      {
        body: JSON.stringify(body),
        headers: expect.objectContaining({
          'x-webhook-id': 'one',
          'x-pagerduty-signature': signatureOf('secret', JSON.stringify(body)),
        }),
      },
    ]);
  });

  it('can be signed with several secrets, wrongly, or not at all', async () => {
    const { pagerDuty } = await started();
    const { received, to } = await receiver();
    await pagerDuty.sendWebhook(to, 'secret', { body: {}, alsoSignedWith: ['older'] });
    await pagerDuty.sendWebhook(to, 'secret', { body: {}, signature: 'v1=00' });
    await pagerDuty.sendWebhook(to, 'secret', { body: {}, signature: null });
    expect(received.map(({ headers }) => headers['x-pagerduty-signature'])).toEqual([
      `${signatureOf('older', '{}')},${signatureOf('secret', '{}')}`,
      'v1=00',
      undefined,
    ]);
  });
});
