import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LogLevel } from '@slack/web-api';
import { releaseAfterTest } from '../cleanup.ts';
import { readBody } from './server.ts';

export type Interaction = {
  headers: Record<string, unknown>;
  body: string;
  payload: Record<string, unknown>;
};

/** The smallest app there is: it keeps what Slack sends, and answers what the test says. */
export async function startApp(answer: (payload: Record<string, unknown>) => unknown = () => '') {
  const received: Interaction[] = [];
  const server = createServer(async (request, response) => {
    const body = (await readBody(request)).toString();
    const payload = JSON.parse(new URLSearchParams(body).get('payload') ?? '{}');
    received.push({ headers: request.headers, body, payload });
    const said = await answer(payload);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(said === '' ? '' : JSON.stringify(said));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  releaseAfterTest('app', () => {
    server.closeAllConnections();
    return new Promise<void>((done) => server.close(() => done()));
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack` };
}

/** The clients log what the tests provoke. */
export const quiet = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};
