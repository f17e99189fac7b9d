import { once } from 'node:events';
import type { Socket } from 'node:net';
import PostalMime from 'postal-mime';
import {
  SMTPServer,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server';
import { releaseAfterTest } from '../cleanup.ts';

export type SmtpOptions = {
  /** Addresses that nobody has: 550 5.1.1, for good. */
  unknown?: readonly string[];
  /** Addresses whose mailbox is full today (452 4.2.2) or for good (552 5.2.2). */
  full?: Readonly<Record<string, 452 | 552>>;
  /** Addresses that are told 451 the first time, and taken from then on. */
  greylisted?: readonly string[];
  /** Nobody sends without it, if it is said. */
  login?: { user: string; password: string };
  greetingDelayMs?: number;
  bytesMax?: number;
};

export type ReceivedMail = {
  /** Of the envelope, which is what counts. */
  envelope: { from: string; to: string[] };
  /** As the letter says. */
  from: string;
  to: string[];
  subject: string;
  /** By their names in small letters; of several, the last. */
  headers: Map<string, string>;
  text: string;
  html: string;
  raw: string;
};

export type FakeSmtp = Awaited<ReturnType<typeof startFakeSmtp>>;

/** A mail server that takes letters, or does not take them as real ones do. */
export async function startFakeSmtp(options: SmtpOptions = {}) {
  const sockets = new Set<Socket>();
  const state: State = {
    mails: [],
    greetings: new Set(),
    cuts: { inData: 0, beforeAnswer: 0 },
    cut({ remotePort }) {
      for (const socket of sockets) if (socket.remotePort === remotePort) socket.destroy();
    },
  };
  const server = new SMTPServer(settingsFor(options, state));
  // A connection that breaks is a part of the play.
  server.on('error', () => {});
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await new Promise<number>((done) => {
    const listening = server.listen(0, '127.0.0.1', () => {
      const address = listening.address();
      done(typeof address === 'object' && address ? address.port : 0);
    });
  });
  let closed: Promise<unknown> | undefined;
  const close = async () => {
    closed ??= Promise.all([
      new Promise<void>((done) => server.close(() => done())),
      ...[...sockets].map((socket) => once(socket, 'close')),
    ]);
    for (const timer of state.greetings) clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  releaseAfterTest('fake SMTP server', close);

  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    mails: state.mails,
    close,
    /** How many connections there are. */
    connections: () => sockets.size,
    waitingForGreeting: () => state.greetings.size,
    /** The connection is lost in the middle of the next letters, which nobody gets. */
    cutInData(times = 1): void {
      state.cuts.inData += times;
    },
    /** The next letters arrive, and the connection is lost before the sender hears of it. */
    loseAnswer(times = 1): void {
      state.cuts.beforeAnswer += times;
    },
  };
}

type State = {
  mails: ReceivedMail[];
  /** Those that are not yet said. */
  greetings: Set<NodeJS.Timeout>;
  cuts: { inData: number; beforeAnswer: number };
  cut(session: SMTPServerSession): void;
};

function settingsFor(options: SmtpOptions, state: State): SMTPServerOptions {
  const { login, greetingDelayMs = 0, bytesMax } = options;
  const refuse = refusals(options);
  return {
    authOptional: login === undefined,
    disabledCommands: login === undefined ? ['STARTTLS', 'AUTH'] : ['STARTTLS'],
    disableReverseLookup: true,
    ...(bytesMax === undefined ? {} : { size: bytesMax, rejectOversized: true }),
    onAuth({ username, password }, _session, done) {
      const isRight = username === login?.user && password === login?.password;
      done(isRight ? null : smtpError(535, '5.7.8 authentication failed'), { user: username });
    },
    onConnect(_session, done) {
      if (greetingDelayMs === 0) return done();
      const timer = setTimeout(() => {
        state.greetings.delete(timer);
        done();
      }, greetingDelayMs);
      state.greetings.add(timer);
    },
    onRcptTo: ({ address }, _session, done) => done(refuse(address)),
    onData: (stream, session, done) => receive(stream, session, state, done),
  };
}

function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  { mails, cuts, cut }: State,
  done: () => void,
): void {
  const isCut = cuts.inData > 0;
  if (isCut) cuts.inData -= 1;
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (isCut) cut(session);
  });
  stream.on('end', async () => {
    if (isCut) return;
    if (stream.sizeExceeded) return done();
    mails.push(await parsed(Buffer.concat(chunks), session));
    if (cuts.beforeAnswer === 0) return done();
    cuts.beforeAnswer -= 1;
    cut(session);
  });
}

function refusals({ unknown = [], full = {}, greylisted = [] }: SmtpOptions) {
  const waiting = new Set(greylisted);
  return (address: string): Error | null => {
    if (unknown.includes(address)) return smtpError(550, '5.1.1 no such mailbox');
    const fullness = full[address];
    if (fullness === 452) return smtpError(452, '4.2.2 the mailbox is full');
    if (fullness === 552) return smtpError(552, '5.2.2 the mailbox is full');
    return waiting.delete(address) ? smtpError(451, '4.7.1 greylisted, come again') : null;
  };
}

function smtpError(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}

async function parsed(raw: Buffer, { envelope }: SMTPServerSession): Promise<ReceivedMail> {
  const { mailFrom, rcptTo } = envelope;
  const { from, to = [], subject = '', headers, text = '', html = '' } = await PostalMime.parse(raw);
  return {
    envelope: { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) },
    from: from?.address ?? '',
    to: to.flatMap(({ address, group = [] }) => address ?? group.map((member) => member.address)),
    subject,
    headers: new Map(headers.map(({ key, value }) => [key, value])),
    text,
    html,
    raw: raw.toString(),
  };
}
