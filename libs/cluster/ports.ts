import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems give to outgoing connections, and above those that programs are known by. */
const ports = { from: 20_000, count: 12_000 };
const attemptsMax = 100;

/**
 * A port that stays free for its owner while that is away: no connection is given it in the meantime, and nobody
 * else who asks here, in this process or in another, before this process ends.
 */
export async function freePort(
  draw: () => number = () => ports.from + randomInt(ports.count),
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = draw();
    try {
      await reserve(port);
      await seeThatNobodyListens(port);
      return port;
    } catch (error) {
      if (attempt >= attemptsMax) throw error;
    }
  }
}

/** By the port's twin in UDP, which nothing of ours uses and which the system takes back when the process ends. */
async function reserve(port: number): Promise<void> {
  const socket = createSocket('udp4');
  socket.unref();
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  await once(socket, 'listening');
}

async function seeThatNobodyListens(port: number): Promise<void> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  await new Promise<void>((done) => server.close(() => done()));
}
