import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { releaseAfterTest } from '@placet/testing';

/** One announcement as it came in: the webhook's id, the event's type, and the action that it is about. */
export type Received = { id: string; type: string; action: string };
export type Receiver = {
  /** The settings that make Placet announce here. */
  env: Record<string, string>;
  received: Received[];
  about(action: string): string[];
};

/** A program of somebody else's that Placet tells of approvals. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { type, data } = JSON.parse(Buffer.concat(chunks).toString());
    received.push({ id: String(request.headers['webhook-id']), type, action: data.action_id });
    response.writeHead(204).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  releaseAfterTest('webhook receiver', () => {
    server.closeAllConnections();
    return new Promise<void>((done) => server.close(() => done()));
  });
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      PLACET_WEBHOOK_URL: `http://127.0.0.1:${port}/approvals`,
      PLACET_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
      PLACET_WEBHOOK_ALLOWED_HOSTS: `127.0.0.1:${port}`,
    },
    received,
    about: (action) => received.filter((one) => one.action === action).map(({ type }) => type),
  };
}
