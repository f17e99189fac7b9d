import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { readConnection } from '@placet/embedded';
import { consumers, eventStream } from '@placet/events';

export type Stored = { seq: number; subject: string; id: string; type: string; action: string | null };

/**
 * Everything in the stream of a running Placet, read past it on a connection of our own. Fails when a message was
 * overwritten or removed, or when a subject has more than one.
 */
export function readStream(dataDir: string): Promise<Stored[]> {
  return withStreams(dataDir, async (jsm) => {
    const { state } = await jsm.streams.info(eventStream, { subjects_filter: '>' });
    const stored: Stored[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await jsm.streams.getMessage(eventStream, { seq });
      if (!message) throw new Error(`message ${seq} of ${state.last_seq} is gone`);
      const { id, type, data } = message.json<{ id: string; type: string; data: { action_id?: string } }>();
      stored.push({ seq, subject: message.subject, id, type, action: data.action_id ?? null });
    }
    const twice = Object.entries(state.subjects ?? {}).filter(([, messages]) => messages !== 1);
    const subjects = new Set(stored.map(({ subject }) => subject));
    if (twice.length > 0 || subjects.size !== stored.length || state.first_seq > 1) {
      throw new Error(`written more than once: ${JSON.stringify(twice)}; first sequence ${state.first_seq}`);
    }
    return stored;
  });
}

/** The broker forgets what it delivered to whom: a service that comes back gets everything again. */
export function forgetDeliveries(dataDir: string): Promise<void> {
  return withStreams(dataDir, async (jsm) => {
    for (const { durable } of Object.values(consumers)) await jsm.consumers.delete(eventStream, durable);
  });
}

async function withStreams<T>(dataDir: string, work: (jsm: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = readConnection(join(dataDir, 'nats'));
  if (!connection) throw new Error(`no broker runs on ${dataDir}`);
  const { url, user, password } = connection;
  const nc = await connect({ servers: url, user, pass: password });
  try {
    return await work(await jetstreamManager(nc));
  } finally {
    await nc.close();
  }
}

/** The types of one action's events, in their order. */
export function typesOf(stored: Stored[], action: string): string[] {
  return stored.filter((one) => one.action === action).map(({ type }) => type);
}
