import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { inspect } from 'node:util';
import {
  type Credentials,
  DirectoryInUse,
  lockDirectory,
  NatsServerFailed,
  onSupervisorGone,
  type PlacetSettings,
  prepareFirstStart,
  readPlacetSettings,
  startPlacet,
} from '@placet/embedded';
import { createLogger, Refusal, SettingsProblem } from '@placet/runtime';

const stopWithinMs = 4800;

async function main(): Promise<void> {
  const settings = readPlacetSettings(process.env);
  const logger = createLogger({ level: settings.logLevel });
  const lock = await lockDirectory(settings.dataDir);
  try {
    const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
    const placet = await startPlacet({ settings, natsServer, logger });
    stopOnSignals(async () => {
      lock.markStopping();
      await placet.close();
      lock.release();
    });
    const credentials = await prepareFirstStart(placet.gateway, settings);
    tell(placet.gateway.url, credentials, settings);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const end = () => {
    // Who asks twice does not want to wait.
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  onSupervisorGone(Number(process.env['PLACET_SUPERVISOR_PID']) || undefined, end);
}

function tell(url: string, { agentKey, personToken }: Credentials, settings: PlacetSettings): void {
  const { dataDir, policyFile } = settings;
  if (process.argv.includes('--json')) {
    writeSync(1, `${JSON.stringify({ url, agentKey, personToken, dataDir })}\n`);
    return;
  }
  const policy =
    policyFile ?? `${url}/v1/policies/default  (PUT replaces it; or set PLACET_POLICY to a file)`;
  writeSync(
    1,
    `
Placet runs. Stop it with Ctrl-C.

  API          ${url}        documentation: ${url}/docs
  agent's key  ${agentKey}
  your token   ${personToken}
  policy       ${policy}
  data         ${relative(process.cwd(), dataDir) || dataDir}

Ask whether an agent may act:

curl -s '${url}/v1/check' -H 'Authorization: Bearer ${agentKey}' -H 'Content-Type: application/json' -d '{"action_name":"cancel_flight","payload":{"flight_number":"PA441"}}'

`,
  );
}

/** What a user can put right is told in words; only our own faults come with a stack. */
function explain(error: unknown): string {
  if (
    error instanceof SettingsProblem ||
    error instanceof DirectoryInUse ||
    error instanceof NatsServerFailed
  ) {
    return error.message;
  }
  if (error instanceof Refusal && error.code === 'POLICY_REFUSED') return `PLACET_POLICY: ${error.message}`;
  if (isSystemError(error, 'EADDRINUSE')) {
    return `Port ${error.port} is taken. Stop what runs there, or set PLACET_PORT (0 takes a free one).`;
  }
  if (isSystemError(error, 'ENOENT')) return `There is no file ${error.path}.`;
  return inspect(error);
}

type SystemError = Error & { port?: number; path?: string };

function isSystemError(error: unknown, code: string): error is SystemError {
  return error instanceof Error && 'code' in error && error.code === code;
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});
