import { JetStreamApiError } from '@nats-io/jetstream';
import { RequestError, TimeoutError } from '@nats-io/transport-node';
import {
  connectNats,
  createLogger,
  ensureStreams,
  explain,
  Resources,
  readSettings,
  sleep,
} from '@placet/runtime';
import { deploySettings } from './settings.ts';

/** Makes streams, buckets and consumers, or brings them up to date. Twice is once; rules are never weakened. */
async function main(): Promise<void> {
  const settings = readSettings(deploySettings, process.env);
  const logger = createLogger({ level: settings.logLevel });
  const resources = new Resources(logger);
  try {
    const { natsUrl: url, natsPassword: password } = settings;
    const nats = await connectNats({ url, user: 'deploy', password, name: 'deploy' }, logger, resources);
    const sizes = {
      maxBytes: settings.streamBytesMax,
      maxAgeMs: settings.streamAgeMaxMs,
      replicas: settings.replicas,
      subscribers: settings.subscribers,
      mayKeepLess: settings.mayKeepLess,
    };
    const made = await patiently(() => ensureStreams(nats, sizes));
    process.stdout.write(
      `${made.length > 0 ? `made or changed: ${made.join(', ')}` : 'everything is as it should be'}\n`,
    );
  } finally {
    await resources.close();
  }
}

const leaderWithinMs = 45_000;
const pauseMs = 500;

/** A cluster that has just started has no leader for some seconds. What was made until then is found made. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + leaderWithinMs; ; await sleep(pauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isWithoutLeader(error) || Date.now() > deadline) throw error;
    }
  }
}

function isWithoutLeader(error: unknown): boolean {
  if (error instanceof TimeoutError || error instanceof RequestError) return true;
  // 10005: not all nodes are known yet. 10008: nobody leads.
  return error instanceof JetStreamApiError && (error.code === 10005 || error.code === 10008);
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exitCode = 1;
});
