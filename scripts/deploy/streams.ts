import { connectNats, createLogger, ensureStreams, explain, Resources, readSettings } from '@placet/runtime';
import { deploySettings } from './settings.ts';

/** Makes streams, buckets and consumers, or brings them up to date. Twice is once; rules are never weakened. */
async function main(): Promise<void> {
  const settings = readSettings(deploySettings, process.env);
  const logger = createLogger({ level: settings.logLevel });
  const resources = new Resources(logger);
  try {
    const { natsUrl: url, natsPassword: password } = settings;
    const nats = await connectNats({ url, user: 'deploy', password, name: 'deploy' }, logger, resources);
    const made = await ensureStreams(nats, {
      maxBytes: settings.streamBytesMax,
      maxAgeMs: settings.streamAgeMaxMs,
      replicas: settings.replicas,
      subscribers: settings.subscribers,
    });
    process.stdout.write(
      `${made.length > 0 ? `made or changed: ${made.join(', ')}` : 'everything is as it should be'}\n`,
    );
  } finally {
    await resources.close();
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
