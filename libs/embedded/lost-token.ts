import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configBuckets, Person } from '@placet/events';
import { createPeople } from '@placet/gateway-service/accounts/people.ts';
import { createMetrics, type Logger, openConfigStore, startService, UsersProblem } from '@placet/runtime';
import { adminToken, credentialsFile } from './first-start.ts';
import { loadKeys } from './keys.ts';
import { lockDirectory } from './lock.ts';
import { type Connection, readConnection, startNatsServer } from './nats-server.ts';
import { readJsonFile, writePrivateFile } from './private-file.ts';
import type { PlacetSettings } from './settings.ts';

export class NothingHere extends UsersProblem {}

type Broker = Connection & { stop(): Promise<void> };
type Options = { settings: PlacetSettings; natsServer: string; logger: Logger };

/**
 * A new token for the administrator, for who has lost it. Whoever may read the data directory may do this; it is on
 * the record like every change. Works while Placet runs, and while it does not.
 */
export async function replaceLostToken(options: Options): Promise<string> {
  const { dataDir } = options.settings;
  if (!existsSync(credentialsFile(dataDir))) {
    throw new NothingHere(`Placet has not run on ${dataDir} yet. Run npm start, or set PLACET_DATA.`);
  }
  const broker = await reachBroker(options);
  try {
    const personToken = await makeToken(broker, options);
    // The next start shows the new token.
    const kept = readJsonFile(credentialsFile(dataDir)) as object;
    writePrivateFile(credentialsFile(dataDir), `${JSON.stringify({ ...kept, personToken }, null, 2)}\n`);
    return personToken;
  } finally {
    await broker.stop();
  }
}

async function reachBroker({ settings, natsServer }: Options): Promise<Broker> {
  const dir = join(settings.dataDir, 'nats');
  const lock = await lockDirectory(settings.dataDir).catch((error: unknown) => error as Error);
  const running = readConnection(dir);
  if (lock instanceof Error) {
    if (running) return { ...running, stop: async () => {} };
    throw lock;
  }
  try {
    const server = await startNatsServer({ binary: natsServer, dir, syncAlways: true });
    const stop = async () => {
      await server.stop();
      lock.release();
    };
    return { url: server.url, user: server.user, password: server.password, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function makeToken(nats: Connection, { settings, logger }: Options): Promise<string> {
  let token = '';
  const { sealer } = loadKeys(settings.dataDir);
  const environment = { nats, sealer, logger, metrics: createMetrics() };
  const service = await startService('gateway', environment, async ({ context, alarm, resources }) => {
    const bucket = { bucket: configBuckets.people, schema: Person };
    const store = await openConfigStore(context, alarm, resources, bucket);
    token = await adminToken({ people: createPeople(store) }, settings.adminEmail);
    return {};
  });
  await service.close();
  return token;
}
