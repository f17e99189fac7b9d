import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { verifyWebhook } from '@placet/proof';
import { afterEach, describe, expect, test } from 'vitest';
import { createWebhookSender, type Webhook } from '../webhooks/send.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const now = new Date('2026-01-02T03:04:05Z');
const body = JSON.stringify({ specversion: '1.0', id: 'evt_1', data: { reason: 'Zoë' } });

type Received = { request: http.IncomingMessage; body: string };
type Answer = (request: http.IncomingMessage, response: http.ServerResponse) => void;

const releases: (() => unknown)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function listening(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  releases.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function receiver(answer: Answer) {
  const received: Received[] = [];
  let connections = 0;
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ request, body: Buffer.concat(chunks).toString() });
    answer(request, response);
  });
  server.on('connection', () => connections++);
  const port = await listening(server);
  releases.push(() => server.closeAllConnections());
  return { port, received, url: `http://127.0.0.1:${port}/hook`, connections: () => connections };
}

/** Counts who connects, and says nothing. */
async function listener() {
  let connections = 0;
  const server = net.createServer((socket) => {
    connections++;
    socket.destroy();
  });
  return { port: await listening(server), connections: () => connections };
}

function sender(options: { allowedHosts?: string[]; timeoutMs?: number } = {}) {
  const created = createWebhookSender({ allowedHosts: ['127.0.0.1', 'localhost'], ...options });
  releases.push(() => created.close());
  return (webhook: Partial<Webhook> & { url: string }) =>
    created.send({ secrets: [secret], id: 'evt_1', body, now, ...webhook });
}

const answerWith =
  (status: number, headers: http.OutgoingHttpHeaders = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, headers).end();
  };

describe('a delivery', () => {
  test('carries the body as it is, signed, with the type of a CloudEvent', async () => {
    const { url, received } = await receiver(answerWith(204));
    expect(await sender()({ url })).toEqual({ outcome: 'delivered', status: 204 });
    const [delivery] = received;
    expect(delivery?.body).toBe(body);
    expect(delivery?.request.method).toBe('POST');
    expect(delivery?.request.headers).toMatchObject({
      'content-type': 'application/cloudevents+json',
      'content-length': String(Buffer.byteLength(body)),
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(now.getTime() / 1000),
    });
    const headers = delivery?.request.headers ?? {};
    expect(verifyWebhook({ headers, body: delivery?.body ?? '', secrets: [secret], now })).toBe(true);
  });

  test('keeps its id over attempts, and has a timestamp of each', async () => {
    const { url, received } = await receiver(answerWith(503));
    const send = sender();
    await send({ url });
    await send({ url, now: new Date(now.getTime() + 5_000) });
    expect(received.map(({ request }) => request.headers['webhook-id'])).toEqual(['evt_1', 'evt_1']);
    const [first, second] = received.map(({ request }) => Number(request.headers['webhook-timestamp']));
    expect(second).toBe((first ?? 0) + 5);
  });

  test('uses a connection again', async () => {
    const { url, connections } = await receiver(answerWith(200));
    const send = sender();
    for (let n = 0; n < 5; n++) {
      expect(await send({ url })).toMatchObject({ outcome: 'delivered' });
      await new Promise(setImmediate);
    }
    expect(connections()).toBeLessThan(5);
  });

  test('goes over TLS, and only to a certificate that somebody vouches for', async () => {
    const server = https.createServer({ key, cert }, (request, response) => {
      request.resume();
      response.end();
    });
    const port = await listening(server);
    releases.push(() => server.closeAllConnections());
    const url = `https://localhost:${port}/`;
    const reason = 'The request failed: DEPTH_ZERO_SELF_SIGNED_CERT.';
    expect(await sender()({ url })).toEqual({ outcome: 'retry', reason });

    const trusted = tls.getCACertificates('default');
    releases.push(() => tls.setDefaultCACertificates(trusted));
    tls.setDefaultCACertificates([...trusted, cert]);
    expect(await sender()({ url })).toEqual({ outcome: 'delivered', status: 200 });
  });
});

describe('an answer that is no success', () => {
  test.each([400, 401, 404, 408, 422, 425, 429, 500, 503])('%i is tried again', async (status) => {
    const { url } = await receiver(answerWith(status));
    expect(await sender()({ url })).toEqual({
      outcome: 'retry',
      status,
      reason: `The receiver answered ${status}.`,
    });
  });

  test('Retry-After is handed on', async () => {
    const { url } = await receiver(answerWith(429, { 'retry-after': '90' }));
    expect(await sender()({ url })).toMatchObject({ outcome: 'retry', retryAfterMs: 90_000 });
  });

  test('410 disables the endpoint', async () => {
    const { url } = await receiver(answerWith(410));
    expect(await sender()({ url })).toMatchObject({ outcome: 'gone' });
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
    const target = await receiver(answerWith(200));
    const { url } = await receiver(answerWith(status, { location: target.url }));
    expect(await sender()({ url })).toMatchObject({
      outcome: 'retry',
      reason: expect.stringContaining('redirects'),
    });
    expect(target.received).toHaveLength(0);
  });
});

describe('no answer', () => {
  test('a refused connection is tried again', async () => {
    const server = net.createServer();
    const port = await listening(server);
    server.close();
    await once(server, 'close');
    const reason = 'The request failed: ECONNREFUSED.';
    expect(await sender()({ url: `http://127.0.0.1:${port}/` })).toEqual({ outcome: 'retry', reason });
  });

  test('a name that nobody knows is tried again, and the reason does not repeat the URL', async () => {
    const outcome = await sender()({ url: 'https://nothing.invalid/secret-path' });
    expect(outcome).toMatchObject({ outcome: 'retry', reason: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) });
    expect(JSON.stringify(outcome)).not.toContain('secret-path');
  });

  test('a receiver that says nothing is given up after the timeout', async () => {
    const { url } = await receiver(() => {});
    const outcome = await sender({ timeoutMs: 100 })({ url });
    expect(outcome).toEqual({ outcome: 'retry', reason: 'No answer within 100 ms.' });
  });

  test('a receiver that drips its headers is given up after the timeout', async () => {
    const server = net.createServer((socket) => {
      const drip = setInterval(() => socket.write('x'), 10);
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      socket.on('error', () => {}).on('close', () => clearInterval(drip));
    });
    const port = await listening(server);
    const outcome = await sender({ timeoutMs: 150 })({ url: `http://127.0.0.1:${port}/` });
    expect(outcome).toEqual({ outcome: 'retry', reason: 'No answer within 150 ms.' });
  });

  test.each([
    '',
    'HTTP/1.1 200',
    'SSH-2.0-OpenSSH_9.6\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  ])('an answer that is no whole answer (%j) is tried again', async (answer) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(answer));
    });
    const port = await listening(server);
    const outcome = await sender()({ url: `http://127.0.0.1:${port}/` });
    expect(outcome).toMatchObject({
      outcome: 'retry',
      reason: expect.stringContaining('The request failed'),
    });
  });

  test('an attempt that is called off ends', async () => {
    const { url } = await receiver(() => {});
    const controller = new AbortController();
    const outcome = sender()({ url, signal: controller.signal });
    controller.abort();
    expect(await outcome).toEqual({ outcome: 'retry', reason: 'The attempt was called off.' });
    expect(await sender()({ url, signal: controller.signal })).toMatchObject({ outcome: 'retry' });
  });
});

describe('the body of an answer', () => {
  test('without an end is read for 16 KB and no further, and the delivery counts', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await receiver((_request, response) => {
      const chunk = Buffer.alloc(8_192);
      const pour = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', pour).on('close', closed.resolve);
      pour();
    });
    expect(await sender({ timeoutMs: 60_000 })({ url })).toEqual({ outcome: 'delivered', status: 200 });
    await closed.promise;
  });

  test('that never comes does not hold the outcome, nor the connection beyond the timeout', async () => {
    const closed = Promise.withResolvers<void>();
    const { url } = await receiver((_request, response) => {
      response.on('close', closed.resolve);
      response.writeHead(200, { 'content-length': '10' }).write('x');
    });
    expect(await sender({ timeoutMs: 150 })({ url })).toEqual({ outcome: 'delivered', status: 200 });
    await closed.promise;
  });
});

describe('an address of our own network is refused, and nothing is sent there', () => {
  const spellings = [
    ...[
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0x7f000001',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
    ],
    ...[
      '①②⑦.⓪.⓪.①',
      '%31%32%37.0.0.1',
      '0',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
    ],
    ...['[0:0:0:0:0:ffff:7f00:0001]', '[::127.0.0.1]', '[64:ff9b::127.0.0.1]', '10.0.0.1', '172.16.0.1'],
    ...[
      '192.168.1.1',
      '100.64.0.1',
      '169.254.169.254',
      '[fd00:ec2::254]',
      '[fe80::1]',
      '224.0.0.1',
      '[ff02::1]',
    ],
    ...['255.255.255.255', 'localhost', 'LOCALHOST'],
  ];

  test.each(spellings)('%s', async (host) => {
    const { port, connections } = await listener();
    const outcome = await sender({ allowedHosts: [] })({ url: `https://${host}:${port}/` });
    expect(outcome).toEqual({ outcome: 'refused', reason: expect.stringContaining('not public') });
    expect(connections()).toBe(0);
  });

  test.each(['127.0.0.1', '127.1', '2130706433', '0x7f.1', 'localhost'])(
    'without the guard %s would have arrived',
    async (host) => {
      const { port, received } = await receiver(answerWith(200));
      expect(await sender()({ url: `http://${host}:${port}/` })).toMatchObject({ outcome: 'delivered' });
      expect(received).toHaveLength(1);
    },
  );

  test('a listed host and port opens no other port', async () => {
    const open = await receiver(answerWith(200));
    const { port, connections } = await listener();
    const send = sender({ allowedHosts: [`127.0.0.1:${open.port}`] });
    expect(await send({ url: open.url })).toMatchObject({ outcome: 'delivered' });
    expect(await send({ url: `https://127.0.0.1:${port}/` })).toMatchObject({ outcome: 'refused' });
    expect(connections()).toBe(0);
  });

  test.each(['http://example.com/', 'ftp://127.0.0.1/', 'https://user:pass@example.com/', 'not a URL'])(
    '%s is refused for what it is',
    async (url) => {
      expect(await sender({ allowedHosts: [] })({ url })).toMatchObject({ outcome: 'refused' });
    },
  );
});

// Made for this test, for localhost; it guards nothing.
const cert = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUbGURsGcrGRwp7cO3OAdfK0qOVTYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA5NTEzN1oYDzIxMjYxMDI4
MDk1MTM3WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQQ009RogmmFpQFek1de4x4XhJdDNG+k/PZb7dH3E/SRDhwrPZl8hyQ
izTapCTbjT/VtZuri1rm0nK0XyxZ7zN5o28wbTAdBgNVHQ4EFgQU6QlEP6+bwYEz
C/U9YdGCjGm4i9wwHwYDVR0jBBgwFoAU6QlEP6+bwYEzC/U9YdGCjGm4i9wwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgFJXZP50mp3utMuP7yeKnto/PnMLYHHokXEo6k6hNR/gCIAEm
klhqups1pjkUxfJnJPJrdvEzvrcSBGAWCF/Rpyzl
-----END CERTIFICATE-----`;
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgGAKvx+UoXiyTmop4
q73BOzMw54acWYInBuVs8UXnU0qhRANCAAQQ009RogmmFpQFek1de4x4XhJdDNG+
k/PZb7dH3E/SRDhwrPZl8hyQizTapCTbjT/VtZuri1rm0nK0XyxZ7zN5
-----END PRIVATE KEY-----`;
