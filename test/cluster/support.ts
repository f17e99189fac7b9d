import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Cluster, provideMongo } from '@placet/cluster';
import { type ConsumerSpec, eventStream, inboxPrefix, type PlacetEvent } from '@placet/events';
import { type Client, createClient, eventually, type Reply, releaseAfterTest } from '@placet/testing';
import { expect } from 'vitest';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';
import type { Door } from './load.ts';

export type Deployer = { nc: NatsConnection; jsm: JetStreamManager };

/** The broker as whoever deploys sees it. */
export async function deployer({ natsUrl, secretsDir }: Cluster): Promise<Deployer> {
  const nc = await connect({
    servers: natsUrl.split(','),
    user: 'deploy',
    pass: readFileSync(join(secretsDir, secretFiles.natsPassword('deploy')), 'utf8').trim(),
    inboxPrefix: inboxPrefix('deploy'),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
  });
  releaseAfterTest('connection of the deployer', () => nc.close());
  return { nc, jsm: await jetstreamManager(nc, { checkAPI: false }) };
}

export type Stored = { seq: number; subject: string; text: string; event: PlacetEvent };

const readsAtOnce = 64;

/** All that the stream holds, as its leader has it. Fails when a message is gone, or a subject was written twice. */
export async function readStream(jsm: JetStreamManager): Promise<Stored[]> {
  const { state } = await jsm.streams.info(eventStream);
  const stored: Stored[] = [];
  for (let from = 1; from <= state.last_seq; from += readsAtOnce) {
    const count = Math.min(readsAtOnce, state.last_seq - from + 1);
    const seqs = Array.from({ length: count }, (_, i) => from + i);
    stored.push(...(await Promise.all(seqs.map((seq) => readMessage(jsm, seq)))));
  }
  expect(new Set(stored.map(({ subject }) => subject)).size).toBe(stored.length);
  return stored;
}

async function readMessage(jsm: JetStreamManager, seq: number): Promise<Stored> {
  const message = await jsm.streams.getMessage(eventStream, { seq });
  if (!message) throw new Error(`message ${seq} is gone`);
  const text = message.string();
  return { seq, subject: message.subject, text, event: JSON.parse(text) as PlacetEvent };
}

export const lastSeq = async (jsm: JetStreamManager) => (await jsm.streams.info(eventStream)).state.last_seq;

/** The events of each action, in the stream's order. */
export function byAction(stored: Stored[]): Map<string, PlacetEvent[]> {
  const actions = new Map<string, PlacetEvent[]>();
  for (const { event } of stored) {
    if (!('action_id' in event.data)) continue;
    const { action_id } = event.data;
    actions.set(action_id, [...(actions.get(action_id) ?? []), event]);
  }
  return actions;
}

export const ofType = <T extends PlacetEvent['type']>(events: PlacetEvent[] = [], type: T) =>
  events.filter((event): event is Extract<PlacetEvent, { type: T }> => event.type === type);

/** The consumers have been given all there is, and have acknowledged it. */
export async function expectWorkedOff(jsm: JetStreamManager, specs: ConsumerSpec[]): Promise<void> {
  await eventually(async () => {
    for (const { durable } of specs) {
      const { num_pending, num_ack_pending } = await jsm.consumers.info(eventStream, durable);
      expect({ durable, num_pending, num_ack_pending }).toEqual({
        durable,
        num_pending: 0,
        num_ack_pending: 0,
      });
    }
  }, 60_000);
}

export type Recorded = { stream: string; seq: number; id: string; subject: string; body: string };

/** The record of the stream's events, in its own order. */
export async function recordedEvents(admin: Client): Promise<Recorded[]> {
  const records: Recorded[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const { status, body }: Reply = await admin.get(`/v1/audit?limit=500${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    records.push(...body.records);
    cursor = body.next;
  }
  return records.filter(({ stream }) => stream === eventStream);
}

const recordedWithinMs = 90_000;

/** Every event of the stream is on the record, once and as it is, and nothing else. Answers the stream. */
export async function expectRecorded(jsm: JetStreamManager, admin: Client): Promise<Stored[]> {
  return eventually(
    async () => {
      const stored = await readStream(jsm);
      const recorded = (await recordedEvents(admin)).map(({ seq, subject, body }) => ({
        seq,
        subject,
        body,
      }));
      const alarms = stored.flatMap(({ event }) =>
        event?.type === 'alarm.raised' ? [event.data.message] : [],
      );
      expect(recorded.length, `how much is on the record; alarms: ${alarms.join(', ')}`).toBe(stored.length);
      expect(recorded).toEqual(stored.map(({ seq, subject, text }) => ({ seq, subject, body: text })));
      return stored;
    },
    recordedWithinMs,
    500,
  );
}

/**
 * Calls until it is answered, as a caller does who hears that a part is away, or hears nothing. Every other answer is
 * the caller's to judge.
 */
export async function insist(call: (attempt: number) => Promise<Reply>, withinMs = 50_000): Promise<Reply> {
  let attempt = 0;
  return eventually(async () => {
    const reply = await call(attempt++);
    if (reply.status === 503) throw new Error(`503 ${JSON.stringify(reply.body)}`);
    return reply;
  }, withinMs);
}

/** Does the work for each item, some at a time. */
export async function each<T>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<void>) {
  const left = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

export const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Each gateway of a cluster, with the first agent's key and the first person's token. */
export function doorsOf(cluster: Cluster): Door[] {
  return cluster.of('gateway').map(({ url }) => ({
    agent: createClient(url, cluster.agentKey),
    admin: createClient(url, cluster.personToken),
  }));
}

/** A server of its own, for a deployment's databases have names that are the same everywhere. */
export async function ownMongo(): Promise<string> {
  const mongo = await provideMongo({ ...process.env, MONGODB_URL: undefined });
  releaseAfterTest('MongoDB', () => mongo.stop());
  return mongo.url;
}
