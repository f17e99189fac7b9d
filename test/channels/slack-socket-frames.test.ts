import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, releaseAfterEach, releaseAfterTest, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

releaseAfterEach();

test.each(['null', '{"type":"events_api","payload":{}}', '{"type":"interactive","payload":null}'])(
  'what Slack sends over its socket ends no process: %s',
  async (frame) => {
    const broken: unknown[] = [];
    const note = (error: unknown) => broken.push(error);
    for (const kind of ['uncaughtException', 'unhandledRejection']) process.on(kind, note);
    releaseAfterTest('listener', async () => {
      for (const kind of ['uncaughtException', 'unhandledRejection']) process.off(kind, note);
    });
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ ok: true, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/` }),
      );
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const sockets = new WebSocketServer({ server });
    let sent = 0;
    sockets.on('connection', (socket) => {
      socket.send('{"type":"hello"}');
      socket.send(frame);
      sent += 1;
    });
    releaseAfterTest('slack', async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    });
    const placet = await startTestPlacet({
      env: {
        PLACET_SLACK_API_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
        PLACET_SLACK_BOT_TOKEN: 'xoxb-x',
        PLACET_SLACK_APP_TOKEN: 'xapp-x',
      },
    });
    // The connection goes on, or another takes its place.
    await eventually(() => expect(sent).toBeGreaterThan(0));
    expect((await placet.agent.check({ action_name: 'x', payload: {} })).status).toBe(200);
    expect(broken).toEqual([]);
  },
);
