import { readPlacetSettings, replaceLostToken } from '@placet/embedded';
import { createLogger, explain } from '@placet/runtime';

try {
  const settings = readPlacetSettings(process.env);
  const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
  const logger = createLogger({ level: 'error' });
  process.stdout.write(`${await replaceLostToken({ settings, natsServer, logger })}\n`);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
