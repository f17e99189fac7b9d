import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type KV, Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { type Placet, prepareFirstStart, readPlacetSettings, startPlacet } from '@placet/embedded';
import { type ConfigBucket, eventRoot, eventStream, type PlacetEvent } from '@placet/events';
import { createLogger } from '@placet/runtime';
import {
  type Client,
  createClient,
  eventually,
  natsServerBinary,
  releaseAfterTest,
  startTestPlacet,
  type TestOptions,
  type TestPlacet,
  temporaryDirectory,
} from '@placet/testing';
import { afterAll, beforeAll, expect } from 'vitest';

/** Reading is allowed, dropping is denied, refunds wait for anybody with the role approver. */
export const policy = `
version: 1
rules:
  - action: read.*
    decide: allow
  - action: drop.*
    decide: deny
    reason: Databases are dropped by people.
  - action: refund.*
    decide: require_approval
    approvers: ["#approvals"]
  - action: wire.*
    decide: require_approval
    approvers: ["role:treasurer"]
default: require_approval
`;

/** One Placet for a file whose tests do not disturb each other, and its broker. Without `releaseAfterEach`. */
export function sharedPlacet(options: TestOptions = {}): () => TestPlacet & { raw: RawBroker } {
  let shared: TestPlacet & { raw: RawBroker };
  const dir = mkdtempSync(join(tmpdir(), 'placet-test-'));
  beforeAll(async () => {
    const started = await startTestPlacet({ policy, dataDir: join(dir, 'data'), ...options });
    shared = { ...started, raw: await openBroker(started.placet) };
  });
  afterAll(async () => {
    await shared?.raw.nc.close();
    await shared?.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return () => shared;
}

/** A Placet whose every line of the log is kept. */
export async function startWithLog(env: Record<string, string>) {
  const log: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const dataDir = join(temporaryDirectory(), 'data');
  const settings = readPlacetSettings({
    PLACET_PORT: '0',
    PLACET_SYNC_ALWAYS: 'false',
    PLACET_DATA: dataDir,
    ...env,
  });
  const logger = createLogger({ level: 'trace', destination });
  const placet = await startPlacet({ settings, natsServer: natsServerBinary(), logger });
  releaseAfterTest('placet', () => placet.close());
  const credentials = await prepareFirstStart(placet.gateway, settings);
  const { url } = placet.gateway;
  const agent = createClient(url, credentials.agentKey);
  const admin = createClient(url, credentials.personToken);
  return { placet, dataDir, log, url, agent, admin, ...credentials };
}

export type RawBroker = {
  nc: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  bucket(name: ConfigBucket | string): Promise<KV>;
};

/** The broker without any of our code in between, as whoever stole its password has it. */
export async function rawBroker(placet: Pick<Placet, 'nats'>): Promise<RawBroker> {
  const raw = await openBroker(placet);
  releaseAfterTest('raw connection', () => raw.nc.close());
  return raw;
}

async function openBroker({ nats }: Pick<Placet, 'nats'>): Promise<RawBroker> {
  const nc = await connect({ servers: nats.url, user: nats.user, pass: nats.password, name: 'raw' });
  const js = jetstream(nc);
  const kvm = new Kvm(js);
  return { nc, js, jsm: await jetstreamManager(nc), bucket: (name) => kvm.open(name) };
}

export type Stored = { seq: number; subject: string; text: string; event: PlacetEvent; seal: string };

/** Everything in a stream, in its order. */
export async function messagesIn({ jsm }: RawBroker, stream: string = eventStream): Promise<Stored[]> {
  const { state } = await jsm.streams.info(stream);
  const found: Stored[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await jsm.streams.getMessage(stream, { seq });
    if (!message) continue;
    const text = new TextDecoder().decode(message.data);
    const seal = message.header?.get('Placet-Seal') ?? '';
    found.push({ seq, subject: message.subject, text, event: jsonOf(text) as PlacetEvent, seal });
  }
  return found;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The events of one action, or of none, by their types and in the stream's order. */
export async function typesOf(raw: RawBroker, about: string): Promise<string[]> {
  const messages = await messagesIn(raw);
  return messages.filter(({ subject }) => subject.includes(`.${about}.`)).map(({ event }) => event.type);
}

export async function alarmKinds(raw: RawBroker): Promise<string[]> {
  const messages = await messagesIn(raw);
  return messages.flatMap(({ subject, event }) =>
    subject.startsWith(`${eventRoot}.sys.`) && event.type === 'alarm.raised' ? [event.data.kind] : [],
  );
}

export async function messageCount({ jsm }: RawBroker): Promise<number> {
  return (await jsm.streams.info(eventStream)).state.messages;
}

/** A person with these roles, and a client with its token. */
export async function personWith(
  { admin, url }: Pick<TestPlacet, 'admin' | 'url'>,
  email: string,
  roles: string[],
): Promise<Client & { id: string; token: string }> {
  const made = await admin.post('/v1/people', { email, roles });
  expect(made.status).toBe(201);
  const { token, person } = made.body;
  return { ...createClient(url, token), id: person.id, token };
}

export async function agentNamed(
  { admin, url }: Pick<TestPlacet, 'admin' | 'url'>,
  name: string,
): Promise<Client & { key: string; keyId: string }> {
  const made = await admin.post('/v1/agents', { name });
  expect(made.status).toBe(201);
  const { key, agent } = made.body;
  return { ...createClient(url, key), key, keyId: agent.keys[0].id };
}

export async function put({ admin }: Pick<TestPlacet, 'admin'>, scope: string, text: string): Promise<void> {
  expect((await admin.put(`/v1/policies/${scope}`, text)).status).toBe(200);
}

/** Asks for something that people have to decide, and answers its id. */
export async function held({ agent }: Pick<TestPlacet, 'agent'>, body: object = {}): Promise<string> {
  const asked = await agent.check({ action_name: 'refund.create', payload: { amount: 20 }, ...body });
  expect(asked.body).toMatchObject({ decision: 'pending', approval: {} });
  return asked.body.action_id;
}

export async function decided(agent: Client, id: string, decision: string): Promise<void> {
  await eventually(async () => expect((await agent.answer(id)).body.decision).toBe(decision));
}

/** Every record, by pages. */
export async function wholeRecord(
  { admin }: Pick<TestPlacet, 'admin'>,
  query = '',
): Promise<
  { index: number; stream: string; seq: number; type: string; id: string; subject: string; body: string }[]
> {
  const records = [];
  for (let cursor = ''; ; ) {
    const page = await admin.get(`/v1/audit?limit=50${query}${cursor && `&cursor=${cursor}`}`);
    expect(page.status).toBe(200);
    records.push(...page.body.records);
    if (page.body.next === null) return records;
    cursor = page.body.next;
  }
}

export type Received = { headers: IncomingHttpHeaders; body: { id: string; type: string; data: object } };

export const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A receiver of webhooks, the settings that name it, and what it got. */
export async function webhookReceiver(status = 200) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  releaseAfterTest('webhook receiver', () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    PLACET_WEBHOOK_URL: `http://${host}/hook`,
    PLACET_WEBHOOK_SECRET: webhookSecret,
    PLACET_WEBHOOK_ALLOWED_HOSTS: host,
  };
  return { received, env };
}
