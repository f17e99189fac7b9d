import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { releaseAfterTest } from '../cleanup.ts';

export type VendorServer = { server: Server; url: string; close(): Promise<void> };
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const bodyBytesMax = 16 * 2 ** 20;

/** An HTTP server of the test's own on a free port. Closing it cuts every connection. */
export async function startVendorServer(name: string, handle: Handle): Promise<VendorServer> {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      // A bug of the double must not look like a bug of what is tested.
      console.error(`${name} failed`, error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise<void>((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
    return closed;
  };
  releaseAfterTest(name, close);
  return { server, url: `http://127.0.0.1:${port}`, close };
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new Error(`a body of more than ${bodyBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

/** What a person typed or a vendor sent: JSON, or undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
