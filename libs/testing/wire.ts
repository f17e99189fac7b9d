import { connect, createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

/** Stands between a MongoDB store and its server, and does what networks do. */
export type Wire = {
  url: string;
  /** What was sent so far, but for the documents of an insert and the like, which travel beside the command. */
  commands: Document[];
  /** Runs when a command of this name is about to reach the server, once; the command waits for it. */
  before(command: string, work: () => Promise<void>): void;
  /** The next command of this name, as it was sent. */
  next(command: string): Promise<Buffer>;
  /** The connection is lost after the server got the next command of this name, and before its answer is back. */
  loseReplyTo(command: string): void;
  /** From now on nothing goes through, and connections stay open. */
  silence(): void;
  stop(): Promise<void>;
};

export async function startWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const commands: Document[] = [];
  let silent = false;
  let waiting: { command: string; work(near: Socket, data: Buffer): Promise<void> } | null = null;

  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => other.destroy());
    }
    const read = commandReader((command) => commands.push(command));
    near.on('data', (data) => {
      read(data);
      void passOn(near, far, data);
    });
    far.on('data', (data) => {
      if (!silent && near.writable) near.write(data);
    });
  });

  async function passOn(near: Socket, far: Socket, data: Buffer): Promise<void> {
    if (silent) return;
    const work = waiting && data.includes(`\x02${waiting.command}\0`) ? waiting.work : null;
    if (work) {
      waiting = null;
      near.pause();
      await work(near, data);
      near.resume();
    }
    if (far.writable) far.write(data);
  }

  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = new URL(target);
  url.port = `${(server.address() as { port: number }).port}`;
  url.searchParams.set('directConnection', 'true');

  return {
    url: url.href,
    commands,
    before: (command, work) => {
      waiting = { command, work };
    },
    next: (command) =>
      new Promise((done) => {
        waiting = { command, work: async (_, data) => done(data) };
      }),
    loseReplyTo: (command) => {
      waiting = {
        command,
        work: async (near) => {
          // The answer is the next that comes back.
          near.write = () => {
            near.destroy();
            return false;
          };
        },
      };
    },
    silence: () => {
      silent = true;
    },
    stop: () =>
      new Promise((done) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => done());
      }),
  };
}

const opMsg = 2013;
const headerBytes = 16;

/** Puts the pieces of a connection together, and hands on the command in each OP_MSG. */
function commandReader(take: (command: Document) => void): (data: Buffer) => void {
  let held = Buffer.alloc(0);
  return (data) => {
    held = Buffer.concat([held, data]);
    while (held.length >= headerBytes && held.length >= held.readInt32LE(0)) {
      const message = held.subarray(0, held.readInt32LE(0));
      if (message.readInt32LE(12) === opMsg) take(commandOf(message));
      held = held.subarray(message.length);
    }
  };
}

/** Behind the header come 4 bytes of flags, and one that says "a document". */
export function commandOf(message: Buffer): Document {
  const start = headerBytes + 5;
  return BSON.deserialize(message.subarray(start, start + message.readInt32LE(start)));
}
