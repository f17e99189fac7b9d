import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import type { PlacetEvent } from '@placet/events';
import { verifyWebhook } from '@placet/proof';
import { releaseAfterTest, type TestPlacet } from '@placet/testing';
import { expect } from 'vitest';

/** What came in, as it came. */
export type Got = {
  headers: IncomingHttpHeaders;
  text: string;
  id: string;
  event: PlacetEvent & { data: { action_id: string; action_name?: string; agent: string } };
};
type Answer = (response: ServerResponse, got: Got) => void;

export const withStatus =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status).end();

/** Another system, on a port of its own; how it answers can change. */
export async function startSystem(answer: Answer = withStatus(204)) {
  const got: Got[] = [];
  let current = answer;
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString();
    const one = {
      headers: request.headers,
      text,
      id: String(request.headers['webhook-id']),
      event: JSON.parse(text),
    };
    got.push(one);
    current(response, one);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  releaseAfterTest('system', () => {
    server.closeAllConnections();
    return new Promise<void>((done) => server.close(() => done()));
  });
  const { port } = server.address() as AddressInfo;
  return {
    got,
    types: () => got.map(({ event }) => event.type),
    about: (id: string) => got.filter(({ event }) => event.data.action_id === id),
    answer: (next: Answer) => {
      current = next;
    },
    origin: `http://127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}/hooks/path-that-is-a-secret`,
  };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => server.close(() => done()));
  return port;
}

export const local = { PLACET_WEBHOOK_ALLOWED_HOSTS: '127.0.0.1' };

/** A new webhook, with its secret. */
export async function webhookAt(
  { admin }: Pick<TestPlacet, 'admin'>,
  url: string,
  rest: object = {},
): Promise<{ id: string; secret: string }> {
  const made = await admin.post('/v1/webhooks', { url, ...rest });
  expect(made).toMatchObject({ status: 201 });
  return { id: made.body.webhook.id, secret: made.body.secret };
}

export function isSignedWith({ headers, text }: Got, secret: string): boolean {
  return verifyWebhook({ headers, body: text, secrets: [secret], now: new Date() });
}

export const signaturesOf = ({ headers }: Got) => String(headers['webhook-signature']).split(' ');
