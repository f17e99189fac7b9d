import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import { createBrokers } from '@placet/cluster';
import type { Service } from '@placet/events';
import {
  type BusContext,
  connectNats,
  createLogger,
  createMetrics,
  ensureStreams,
  Resources,
} from '@placet/runtime';
import { natsServerBinary, releaseAfterTest, temporaryDirectory, testSealer } from '@placet/testing';
import { makeSecrets, secretFiles } from '../../scripts/deploy/make-secrets.ts';
import { natsConfText } from '../../scripts/nats-conf.ts';

export type GuardedBroker = {
  url: string;
  secretsDir: string;
  /** Connects as one of the broker's users, with its own password and inbox. */
  as(user: string): Promise<NatsConnection>;
  /** What a service is given that has this broker's password and a seal key. */
  contextOf(service: Service): Promise<BusContext & { resources: Resources }>;
};

/** A broker with the users of a deployment, and Placet's streams. */
export async function startGuardedBroker(subscribers: readonly string[] = []): Promise<GuardedBroker> {
  const dir = temporaryDirectory();
  const secretsDir = join(dir, 'secrets');
  makeSecrets(secretsDir, subscribers);
  writeFileSync(join(dir, 'nats.conf'), natsConfText());
  for (const name of [secretFiles.natsPasswords, secretFiles.natsSubscribers]) {
    copyFileSync(join(secretsDir, name), join(dir, name));
  }
  const options = { binary: natsServerBinary(), dir, nodes: 1, syncAlways: false };
  const [broker] = await createBrokers(options);
  if (!broker) throw new Error('there is no broker');
  releaseAfterTest('nats-server', () => broker.end());
  await broker.start();
  const passwordOf = (user: string) =>
    readFileSync(join(secretsDir, secretFiles.natsPassword(user)), 'utf8').trim();
  await makeStreams(broker.url, passwordOf('deploy'), subscribers);
  return {
    url: broker.url,
    secretsDir,
    async as(user) {
      const nc = await connect({
        servers: broker.url,
        user,
        pass: passwordOf(user),
        inboxPrefix: `_INBOX_${user}`,
        reconnect: false,
      });
      releaseAfterTest(`connection of ${user}`, () => nc.close());
      return nc;
    },
    async contextOf(service) {
      const logger = createLogger({ level: 'silent' });
      const resources = new Resources(logger);
      releaseAfterTest(`context of ${service}`, () => resources.close());
      const login = { url: broker.url, user: service, password: passwordOf(service), name: service };
      const nats = await connectNats(login, logger, resources);
      return { ...nats, service, sealer: testSealer(), logger, metrics: createMetrics(), resources };
    },
  };
}

async function makeStreams(url: string, password: string, subscribers: readonly string[]): Promise<void> {
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  const nats = await connectNats({ url, user: 'deploy', password, name: 'deploy' }, logger, resources);
  await ensureStreams(nats, { maxBytes: 64 * 2 ** 20, maxAgeMs: 86_400_000, replicas: 1, subscribers });
  await resources.close();
}

/** The subjects of these that the broker does not let this user publish to. */
export async function refusedToPublish(nc: NatsConnection, subjects: readonly string[]): Promise<string[]> {
  return refusals(nc, () => {
    for (const subject of subjects) nc.publish(subject, 'x');
  });
}

export async function refusedToSubscribe(nc: NatsConnection, subjects: readonly string[]): Promise<string[]> {
  const subscriptions = subjects.map((subject) => () => nc.subscribe(subject, { callback: () => {} }));
  return refusals(nc, () => {
    for (const subscribe of subscriptions) subscribe();
  });
}

async function refusals(nc: NatsConnection, attempt: () => void): Promise<string[]> {
  const refused: string[] = [];
  const statuses = nc.status();
  void (async () => {
    for await (const status of statuses) {
      if (status.type === 'error' && status.error instanceof PermissionViolationError) {
        refused.push(status.error.subject);
      }
    }
  })();
  attempt();
  // What the broker refuses it says before it answers a flush; the second gives time to be told of the last.
  await nc.flush();
  await nc.flush();
  return refused;
}
