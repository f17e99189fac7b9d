import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { createEnvelopes, say } from './slack-envelopes.ts';
import { bot, randomId } from './slack-ids.ts';

export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled';
export type SlackSockets = ReturnType<typeof createSockets>;

const socketsMax = 10;
const forbidden = 'HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n';

/** Socket Mode: what the app would get over HTTP goes to one of the sockets that it opened. */
export function createSockets(server: Server, answerWithinMs: number) {
  const webSockets = new WebSocketServer({ noServer: true });
  const tickets = new Set<string>();
  const open: WebSocket[] = [];
  const envelopes = createEnvelopes(answerWithinMs, nextSocket);
  let turns = 0;
  let greeted = 0;

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const ticket = new URL(request.url ?? '', 'ws://slack').searchParams.get('ticket') ?? '';
    if (tickets.delete(ticket) && open.length < socketsMax) {
      webSockets.handleUpgrade(request, socket, head, welcome);
    } else {
      socket.end(forbidden, () => socket.destroy());
    }
  });

  function welcome(socket: WebSocket): void {
    open.push(socket);
    greeted += 1;
    socket.on('error', () => socket.terminate());
    socket.on('message', (data) => envelopes.acknowledge(data));
    socket.on('close', () => {
      open.splice(open.indexOf(socket), 1);
      envelopes.takeFrom(socket);
    });
    say(socket, {
      type: 'hello',
      num_connections: open.length,
      connection_info: { app_id: bot.appId },
      debug_info: { host: 'fake-slack', approximate_connection_time: 18_060 },
    });
    envelopes.sendWaiting();
  }

  /** They take turns. */
  function nextSocket(): WebSocket | undefined {
    const usable = open.filter(({ readyState }) => readyState === WebSocket.OPEN);
    turns += 1;
    return usable[turns % usable.length];
  }

  /** The network goes, without a word. */
  function cut(): void {
    for (const socket of [...open]) socket.terminate();
  }

  return {
    /** How many there are now. */
    open: () => open.length,
    /** How many there ever were. */
    greeted: () => greeted,
    envelope: envelopes.envelope,
    cut,
    newUrl(): string {
      const ticket = randomId();
      tickets.add(ticket);
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('the server does not listen');
      return `ws://127.0.0.1:${address.port}/link?ticket=${ticket}`;
    },
    /** Slack asks every socket to go and come again. */
    disconnect(reason: DisconnectReason = 'refresh_requested'): void {
      for (const socket of open) {
        say(socket, { type: 'disconnect', reason, debug_info: { host: 'fake-slack' } });
      }
    },
    close(): void {
      envelopes.close();
      cut();
      webSockets.close();
    },
  };
}
