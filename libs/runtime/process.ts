import type { AddressInfo } from 'node:net';
import { apiPrefixOf, holdsSeal, type Service } from '@placet/events';
import type { Sealer } from '@placet/proof';
import { explain } from './explain.ts';
import { createApp } from './http.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { healthSettings, processSettings, sealSettings } from './process-settings.ts';
import type { RunningService, ServiceEnvironment } from './service.ts';
import { readSettings, type SettingsOf, type SettingsTable } from './settings.ts';
import { stopOnSignals } from './supervisor.ts';

type Start<S extends SettingsTable> = (
  environment: ServiceEnvironment,
  settings: SettingsOf<S>,
) => Promise<RunningService>;

/** Runs one service as a process of its own, configured by the environment alone, until a signal. */
export async function runService<S extends SettingsTable>(
  name: Service,
  table: S,
  start: Start<S>,
): Promise<void> {
  try {
    const all = { ...processSettings, ...(holdsSeal(name) ? sealSettings : {}), ...healthOf(name), ...table };
    const settings = readSettings(all, process.env) as SettingsOf<typeof processSettings> &
      SettingsOf<S> & { sealer?: Sealer; host: string; port: number };
    const logger = createLogger({ level: settings.logLevel });
    const metrics = createMetrics();
    let running: RunningService | undefined;
    let stopHealth = async () => {};
    stopOnSignals(async () => {
      await running?.close();
      await stopHealth();
    });
    const nats = {
      url: settings.natsUrl,
      user: name,
      password: settings.natsPassword,
      apiPrefix: apiPrefixOf(name),
    };
    running = await start({ nats, sealer: settings.sealer ?? null, logger, metrics }, settings);
    const { unready } = running;
    if (name !== 'gateway') stopHealth = await answerHealth({ logger, metrics, unready, ...settings });
  } catch (error) {
    console.error(explain(error));
    process.exit(1);
  }
}

const healthOf = (name: Service) => (name === 'gateway' ? {} : healthSettings);

async function answerHealth(
  options: Parameters<typeof createApp>[0] & { host: string; port: number },
): Promise<() => Promise<void>> {
  const { logger, metrics, unready, host, port } = options;
  const app = createApp({ logger, metrics, unready });
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  logger.info({ port: address.port }, 'answers /health, /ready and /metrics');
  return () => app.close();
}
