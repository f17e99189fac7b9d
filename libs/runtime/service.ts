import type { Service } from '@placet/events';
import type { Sealer } from '@placet/proof';
import { createAlarms, type RaiseAlarm } from './alarms.ts';
import { type Bus, createBus } from './bus.ts';
import { type Broker, connectNats } from './connection.ts';
import type { BusContext } from './context.ts';
import { Resources } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** What is handed to a service from outside: where the broker is, its keys, and where it reports. */
export type ServiceEnvironment = {
  nats: Broker;
  sealer: Sealer | null;
  logger: Logger;
  metrics: Metrics;
};

export type RunningService = {
  name: Service;
  /** What keeps it from working, in words; empty when all is well. */
  unready: () => string[];
  close: () => Promise<void>;
};

export type ServiceParts = { context: BusContext; bus: Bus; alarm: RaiseAlarm; resources: Resources };

/** Connects a service and builds its parts; when the rest of its start fails, what was acquired is released. */
export async function startService(
  name: Service,
  environment: ServiceEnvironment,
  build: (parts: ServiceParts) => Promise<{ unready?: () => string[] }>,
): Promise<RunningService> {
  const logger = environment.logger.child({ service: name });
  const resources = new Resources(logger);
  try {
    const { isConnected, ...nats } = await connectNats({ ...environment.nats, name }, logger, resources);
    const { sealer, metrics } = environment;
    const context: BusContext = { ...nats, service: name, sealer, logger, metrics };
    const bus = createBus(context);
    const parts = { context, bus, alarm: createAlarms(context, bus, resources), resources };
    const { unready = () => [] } = await build(parts);
    // Started means that the broker knows of its subscriptions.
    await nats.nc.flush();
    const disconnected = () => (isConnected() ? [] : [`${name}: not connected to NATS`]);
    return { name, unready: () => [...disconnected(), ...unready()], close: () => resources.close() };
  } catch (error) {
    await resources.close();
    throw error;
  }
}
