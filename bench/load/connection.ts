import { connect, type Socket } from 'node:net';

export type Connection = {
  /** One request at a time; resolves with the body of a 2xx, and rejects with any other. */
  send(request: Buffer): Promise<Buffer>;
  close(): void;
};

type Waiting = { resolve: (body: Buffer) => void; reject: (error: Error) => void };

const empty = Buffer.alloc(0);

/**
 * HTTP/1.1 over one kept socket, by hand: node:http costs half as much as the service that it measures, and the two
 * share the machine. It reads what our servers answer, bodies with a length, and nothing else.
 */
export function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(over(socket));
    });
  });
}

function over(socket: Socket): Connection {
  let received: Buffer = empty;
  let waiting: Waiting | undefined;
  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the server closed the connection')));
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    try {
      const answer = answerIn(received);
      if (answer === null) return;
      received = empty;
      const { resolve, reject } = waiting as Waiting;
      waiting = undefined;
      if (answer.status >= 200 && answer.status < 300) resolve(answer.body);
      else reject(new Error(`${answer.status} ${answer.body}`));
    } catch (error) {
      socket.destroy(error as Error);
    }
  });
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close: () => void socket.destroy(),
  };
}

/** The answer, or null as long as it is not all there. */
function answerIn(bytes: Buffer): { status: number; body: Buffer } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${head}`);
  const start = end + 4;
  if (bytes.length < start + Number(length)) return null;
  return { status: Number(head.slice(9, 12)), body: bytes.subarray(start, start + Number(length)) };
}

/** A request's bytes, made once and sent many times. */
export function requestBytes(
  method: 'GET' | 'POST',
  path: string,
  options: { credential?: string | undefined; body?: unknown } = {},
): Buffer {
  const body = options.body === undefined ? '' : JSON.stringify(options.body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: bench',
    ...(options.credential === undefined ? [] : [`authorization: Bearer ${options.credential}`]),
    ...(body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
