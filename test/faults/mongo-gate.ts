import { connect, createServer, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';
import { commandOf } from '../../libs/testing/wire.ts';

export type MongoState = 'well' | 'down' | 'slow' | 'full';

/** Stands between the services and MongoDB for a whole run, and lets it be away, slow or without room. */
export type MongoGate = { url: string; become(state: MongoState): Promise<void>; stop(): Promise<void> };

const delayMs = 700;
const opMsg = 2013;
const headerBytes = 16;
/** What takes room on the disk. (Indexes are there already, and making them again takes none.) */
const writes = new Set(['insert', 'update', 'findAndModify']);
const outOfDiskSpace = {
  ok: 0,
  code: 14031,
  codeName: 'OutOfDiskSpace',
  errmsg: 'available disk space is less than required',
};

export async function startMongoGate(target: string, port: number): Promise<MongoGate> {
  const { hostname, port: farPort } = new URL(target);
  const sockets = new Set<Socket>();
  let state: MongoState = 'well';
  let server: Server | null = null;

  function join(near: Socket): void {
    const far = connect(Number(farPort), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    const take = whole((message) => {
      if (state === 'full' && isWrite(message)) near.write(reply(message, outOfDiskSpace));
      else if (state === 'slow') setTimeout(() => far.writable && far.write(message), delayMs);
      else if (far.writable) far.write(message);
    });
    near.on('data', take);
    far.on('data', (data) => void (near.writable && near.write(data)));
  }

  async function open(): Promise<void> {
    const opened = createServer(join);
    await new Promise<void>((done, fail) => opened.once('error', fail).listen(port, '127.0.0.1', done));
    server = opened;
  }

  /** Nobody listens, and connections break: as when the server's process was ended. */
  async function close(): Promise<void> {
    const closed = new Promise<void>((done) => (server ? server.close(() => done()) : done()));
    server = null;
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  await open();
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = `${port}`;
  url.searchParams.set('directConnection', 'true');
  return {
    url: url.href,
    async become(next) {
      if (next === 'down') await close();
      else if (state === 'down') await open();
      state = next;
    },
    stop: close,
  };
}

/** Hands on whole messages, however the network has cut them. */
function whole(take: (message: Buffer) => void): (data: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (data) => {
    held = held.length === 0 ? data : Buffer.concat([held, data]);
    while (held.length >= headerBytes && held.length >= held.readInt32LE(0)) {
      const message = held.subarray(0, held.readInt32LE(0));
      held = held.subarray(message.length);
      take(message);
    }
  };
}

function isWrite(message: Buffer): boolean {
  if (message.readInt32LE(12) !== opMsg) return false;
  const [name = ''] = Object.keys(commandOf(message));
  return writes.has(name);
}

/** An OP_MSG with one document, in answer to a request. */
function reply(request: Buffer, document: Document): Buffer {
  const body = BSON.serialize(document);
  const header = Buffer.alloc(headerBytes + 5);
  header.writeInt32LE(header.length + body.length, 0);
  header.writeInt32LE(0, 4);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(opMsg, 12);
  return Buffer.concat([header, body]);
}
