import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually, releaseAfterEach, releaseAfterTest, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { rawBroker } from '../support.ts';

releaseAfterEach();

const portOf = (server: Server) => (server.address() as AddressInfo).port;

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
      response.end(JSON.stringify({ ok: true, url: `ws://127.0.0.1:${portOf(server)}/` }));
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
        PLACET_SLACK_API_URL: `http://127.0.0.1:${portOf(server)}/api/`,
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

test('what came over a connection that ended is acknowledged over no other', async () => {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ok: true, url: `ws://127.0.0.1:${portOf(server)}/` }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const sockets = new WebSocketServer({ server });
  const connected: { socket: WebSocket; heard: string[] }[] = [];
  sockets.on('connection', (socket) => {
    const heard: string[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data)).envelope_id));
    socket.send('{"type":"hello"}');
    connected.push({ socket, heard });
  });
  releaseAfterTest('slack', async () => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
  });
  const { placet, admin } = await startTestPlacet({
    env: {
      PLACET_SLACK_API_URL: `http://127.0.0.1:${portOf(server)}/api/`,
      PLACET_SLACK_APP_TOKEN: 'xapp-x',
    },
  });
  const { id } = (await admin.get('/v1/people/me')).body;
  await admin.patch(`/v1/people/${id}`, { slack: [{ team: 'T0', user: 'U0' }] });
  // Whoever votes is not answered, so that the acknowledgement waits until Slack cannot.
  await placet.stop('decisions');
  const { nc } = await rawBroker(placet);
  nc.subscribe('placetrpc.decisions.>', { queue: 'decisions', callback: () => {} });
  await nc.flush();
  const envelope = (envelope_id: string) =>
    JSON.stringify({
      type: 'interactive',
      envelope_id,
      payload: {
        type: 'block_actions',
        user: { id: 'U0', team_id: 'T0' },
        trigger_id: envelope_id,
        actions: [
          {
            action_id: 'approve',
            value: JSON.stringify({
              action_id: `act_${'0'.repeat(32)}`,
              payload_digest: `sha256:${'0'.repeat(64)}`,
            }),
          },
        ],
      },
    });
  const [first] = await eventually(() => {
    expect(connected).toHaveLength(1);
    return connected;
  });
  first?.socket.send(envelope('first'));
  first?.socket.close();
  const [, second] = await eventually(() => {
    expect(connected).toHaveLength(2);
    return connected;
  });
  second?.socket.send(envelope('second'));
  await eventually(() => expect(second?.heard).toContain('second'));
  expect(second?.heard).toEqual(['second']);
});
