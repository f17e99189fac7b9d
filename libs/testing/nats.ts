import { randomBytes } from 'node:crypto';
import { type NatsServer, startNatsServer } from '@placet/embedded';
import type { Service } from '@placet/events';
import { createSealer, type Sealer } from '@placet/proof';
import {
  type Bus,
  type BusContext,
  connectNats,
  createAlarms,
  createBus,
  createLogger,
  createMetrics,
  ensureStreams,
  type RaiseAlarm,
  Resources,
} from '@placet/runtime';
import { releaseAfterTest, temporaryDirectory } from './cleanup.ts';

/** The broker that the set-up found; `npm test` names it. */
export function natsServerBinary(): string {
  return process.env['NATS_SERVER'] ?? 'nats-server';
}

/** A real broker of the test's own, without any stream. */
export async function startTestNats(): Promise<NatsServer> {
  const server = await startNatsServer({
    binary: natsServerBinary(),
    dir: temporaryDirectory(),
    syncAlways: false,
  });
  releaseAfterTest('nats-server', () => server.stop());
  return server;
}

export type TestBus = { context: BusContext; bus: Bus; alarm: RaiseAlarm; resources: Resources };

export const testSealer = (): Sealer => createSealer({ current: { id: 'test', secret: randomBytes(32) } });

/** What a service is given, on a broker with Placet's streams. */
export async function startTestBus(
  server: NatsServer,
  options: { service?: Service; sealer?: Sealer | null; maxBytes?: number } = {},
): Promise<TestBus> {
  const { service = 'decisions', sealer = testSealer(), maxBytes = 64 * 2 ** 20 } = options;
  const logger = createLogger({ level: 'silent' });
  const resources = new Resources(logger);
  releaseAfterTest(`bus of ${service}`, () => resources.close());
  const nats = await connectNats({ ...server, name: service }, logger, resources);
  await ensureStreams(nats, { maxBytes, maxAgeMs: 86_400_000, replicas: 1 });
  const context: BusContext = { ...nats, service, sealer, logger, metrics: createMetrics() };
  const bus = createBus(context);
  return { context, bus, alarm: createAlarms(context, bus, resources), resources };
}
