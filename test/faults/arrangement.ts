import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cluster, type ProvidedMongo, startCluster } from '@placet/cluster';
import { freePort } from '@placet/cluster/ports.ts';
import { connectNats, createLogger, type Nats, Resources } from '@placet/runtime';
import { createClient } from '../../libs/testing/client.ts';
import { eventually } from '../../libs/testing/eventually.ts';
import { secretFiles } from '../../scripts/deploy/make-secrets.ts';
import type { AgentIdentity } from './agents.ts';
import type { Place } from './asking.ts';
import { type MongoGate, startMongoGate } from './mongo-gate.ts';
import { openFileStores, openMongoStores, type Stores } from './stores.ts';
import type { Voter } from './voters.ts';
import { agents, approvalTimeoutMs, type KnownPerson, people, policies } from './world.ts';

/** A running Placet with everybody in it, and the ways to look behind its back. */
export type Arrangement = {
  cluster: Cluster;
  gateways: readonly [Place, ...Place[]];
  /** Null where the stores are files. */
  mongo: MongoGate | null;
  agents: AgentIdentity[];
  voters: Voter[];
  /** The same people, with the ids that they were given. */
  people: KnownPerson[];
  /** On the broker, as whoever deploys. */
  nats: Nats;
  stores: Stores;
  /** How long an agent rests between two requests. */
  restMs: { from: number; to: number };
  stop(): Promise<void>;
};

/** So small that operators have to make room now and then. */
export const streamBytes = 14 * 2 ** 20;

/** On few cores the services share them with three brokers and a MongoDB, whose stand-in takes no more. */
const restMs = { shared: { from: 100, to: 450 }, alone: { from: 30, to: 200 } };

const settings = {
  gateway: { PLACET_VERDICT_WAIT: '2s' },
  policy: {
    PLACET_APPROVAL_TIMEOUT: `${approvalTimeoutMs}ms`,
    PLACET_VALID_FOR_AUTOMATIC: '20s',
    PLACET_VALID_FOR_PEOPLE: '20s',
  },
  decisions: { PLACET_SWEEP_AFTER: '6s' },
};

/** Three brokers, two of each service, MongoDB behind a gate. */
export async function startThreeNodes(
  dir: string,
  natsServer: string,
  mongo: ProvidedMongo,
): Promise<Arrangement> {
  const gate = await startMongoGate(mongo.url, await freePort());
  const instances = { gateway: 2, policy: 2, decisions: 2, notifier: 2, audit: 2 };
  const options = { natsServer, dir, nodes: 3, instances, mongodbUrl: gate.url };
  try {
    return await arranged(options, gate, () => openMongoStores(mongo.url));
  } catch (error) {
    await gate.stop();
    throw error;
  }
}

/** One broker that writes to the disk before it acknowledges, and files: of their owners there is one each. */
export function startOneNode(dir: string, natsServer: string): Promise<Arrangement> {
  const instances = { gateway: 2, policy: 2 };
  const options = { natsServer, dir, nodes: 1, instances, syncAlways: true };
  return arranged(options, null, async () => openFileStores(dir));
}

type Options = Parameters<typeof startCluster>[0];

async function arranged(
  options: Options,
  mongo: MongoGate | null,
  openStores: () => Promise<Stores>,
): Promise<Arrangement> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const streams = { PLACET_STREAM_SIZE: `${streamBytes / 2 ** 20}MB` };
  const cluster = await startCluster({ ...options, env: settings, streams });
  const resources = new Resources(createLogger({ level: 'silent' }));
  const stop = async () => {
    await resources.close();
    await cluster.stop();
    await mongo?.stop();
  };
  try {
    const stores = await openStores();
    resources.add('stores', () => stores.close());
    const nats = await connectAsDeploy(cluster, resources);
    const gateways = cluster.of('gateway').map(({ name, url }) => ({ name, url })) as [Place, ...Place[]];
    const everybody = await settle(cluster, gateways);
    const rest = mongo === null ? restMs.alone : restMs.shared;
    return { cluster, gateways, mongo, nats, stores, restMs: rest, ...everybody, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function connectAsDeploy({ natsUrl: url, secretsDir }: Cluster, resources: Resources): Promise<Nats> {
  const password = readFileSync(join(secretsDir, secretFiles.natsPassword('deploy')), 'utf8').trim();
  const logger = createLogger({ level: 'silent' });
  return connectNats({ url, user: 'deploy', password, name: 'deploy' }, logger, resources);
}

/** Policies, people and agents; every gateway has to know of them before the first fault. */
async function settle({ personToken }: Cluster, gateways: readonly [Place, ...Place[]]) {
  const admin = createClient(gateways[0].url, personToken);
  const made = async (status: number, reply: ReturnType<typeof admin.get>) => {
    const { status: is, body } = await reply;
    if (is !== status) throw new Error(`the set-up was refused: ${JSON.stringify(body)}`);
    return body;
  };
  for (const [scope, text] of Object.entries(policies)) {
    await made(200, admin.put(`/v1/policies/${scope}`, text));
  }
  const voters: Voter[] = [];
  const known: KnownPerson[] = [];
  for (const { email, roles } of people) {
    const { person, token } = await made(201, admin.post('/v1/people', { email, roles }));
    voters.push({ email, token });
    known.push({ id: person.id, email, roles });
  }
  const identities: AgentIdentity[] = [];
  for (const name of agents) {
    identities.push({ name, key: (await made(201, admin.post('/v1/agents', { name }))).key });
  }
  for (const { url } of gateways) {
    await eventually(async () => {
      await made(200, createClient(url, voters.at(-1)?.token).get('/v1/people/me'));
      await made(200, createClient(url, personToken).get(`/v1/agents/${identities.at(-1)?.name}`));
    });
  }
  return { voters, people: known, agents: identities };
}
