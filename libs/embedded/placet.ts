import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startAuditService } from '@placet/audit-service';
import { openMongoAuditStore } from '@placet/audit-service/mongo-store.ts';
import { openSqliteAuditStore } from '@placet/audit-service/sqlite-store.ts';
import { startDecisionsService } from '@placet/decisions-service';
import { openMongoOutcomeStore } from '@placet/decisions-service/mongo-store.ts';
import { openSqliteOutcomeStore } from '@placet/decisions-service/sqlite-store.ts';
import { services as allServices, type Service } from '@placet/events';
import { type Gateway, startGatewayService } from '@placet/gateway-service';
import { startNotifierService } from '@placet/notifier-service';
import { startPolicyService } from '@placet/policy-service';
import {
  connectNats,
  createMetrics,
  ensureStreams,
  type Logger,
  openStoreOf,
  Resources,
  type RunningService,
  type ServiceEnvironment,
} from '@placet/runtime';
import { keepBroker } from './broker.ts';
import { halfSetUp } from './half-set-up.ts';
import { type Keys, loadKeys } from './keys.ts';
import type { PlacetSettings } from './settings.ts';

export type Placet = {
  gateway: Gateway;
  nats: { url: string; user: string; password: string };
  /** Stops one service and starts it again, as an operator would a process. */
  stop(service: Service): Promise<void>;
  start(service: Service): Promise<void>;
  unready(): string[];
  close(): Promise<void>;
};

/** Room for the configuration's buckets and their record beside the stream of events. */
const configurationBytesMax = 4 * 2 ** 30;

type Options = {
  settings: PlacetSettings;
  natsServer: string;
  logger: Logger;
  /** The services to start; all, if not said. The gateway is always among them. */
  services?: readonly Service[];
};

/** All of Placet in one process: a private broker, its streams, and the services. */
export async function startPlacet({
  settings,
  natsServer,
  logger,
  services = allServices,
}: Options): Promise<Placet> {
  const resources = new Resources(logger);
  try {
    for (const half of halfSetUp(settings)) logger.warn(half);
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
    const keys = loadKeys(settings.dataDir);
    const options = {
      binary: natsServer,
      dir: join(settings.dataDir, 'nats'),
      syncAlways: settings.syncAlways,
      fileStoreBytesMax: settings.streamBytesMax + configurationBytesMax,
    };
    const nats = await keepBroker(options, logger, resources);
    await makeStreams(nats, settings, logger);
    const running = new Map<Service, RunningService>();
    const unready = () => unreadyOf(running);
    const starters = createStarters({ settings, keys, nats, logger, unready });
    resources.add('services', () => closeAll(running));
    // The gateway comes last, so that no request is taken before there is somebody to judge it.
    for (const name of allServices.toReversed()) {
      if (services.includes(name)) running.set(name, await starters[name]());
    }
    return {
      gateway: running.get('gateway') as Gateway,
      nats,
      unready,
      close: () => resources.close(),
      async stop(name) {
        await running.get(name)?.close();
        running.delete(name);
      },
      async start(name) {
        if (!running.has(name)) running.set(name, await starters[name]());
      },
    };
  } catch (error) {
    await resources.close();
    throw error;
  }
}

async function makeStreams(
  nats: ServiceEnvironment['nats'],
  settings: PlacetSettings,
  logger: Logger,
): Promise<void> {
  const resources = new Resources(logger);
  try {
    const connection = await connectNats({ ...nats, name: 'deploy' }, logger, resources);
    const { streamBytesMax, streamAgeMaxMs } = settings;
    const sizes = { maxBytes: streamBytesMax, maxAgeMs: streamAgeMaxMs, replicas: 1 };
    await ensureStreams(connection, { ...sizes, mayKeepLess: true });
  } finally {
    await resources.close();
  }
}

type Parts = {
  settings: PlacetSettings;
  keys: Keys;
  nats: ServiceEnvironment['nats'];
  logger: Logger;
  unready: () => string[];
};

function createStarters({
  settings,
  keys,
  nats,
  logger,
  unready,
}: Parts): Record<Service, () => Promise<RunningService>> {
  const metrics = createMetrics();
  const secretBox = settings.secretBox ?? keys.secretBox;
  // The notifier and the audit service hold no seal key: they act on nothing that it would have to protect.
  const sealed: ServiceEnvironment = { nats, sealer: keys.sealer, logger, metrics };
  const unsealed: ServiceEnvironment = { ...sealed, sealer: null };
  return {
    gateway: () => startGatewayService(sealed, { config: { ...settings, secretBox }, unready }),
    policy: () => startPolicyService(sealed, { config: settings, signer: keys.policySigner }),
    decisions: async () => {
      const store = await openStoreOf('decisions', settings, {
        mongo: openMongoOutcomeStore,
        file: openSqliteOutcomeStore,
      });
      return startDecisionsService(sealed, { config: settings, signer: keys.decisionsSigner, store });
    },
    notifier: () =>
      startNotifierService(unsealed, { config: { ...settings, secretBox }, trusted: keys.trusted }),
    audit: async () => {
      const store = await openStoreOf('audit', settings, {
        mongo: openMongoAuditStore,
        file: openSqliteAuditStore,
      });
      return startAuditService(unsealed, { store, trusted: keys.trusted });
    },
  };
}

function unreadyOf(running: Map<Service, RunningService>): string[] {
  return allServices.flatMap((name) => {
    const service = running.get(name);
    return service ? service.unready() : [`${name}: not running`];
  });
}

/** The gateway stops taking requests first; then those who would have answered them. */
async function closeAll(running: Map<Service, RunningService>): Promise<void> {
  for (const name of allServices) await running.get(name)?.close();
  running.clear();
}
