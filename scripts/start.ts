import { writeSync } from 'node:fs';
import {
  type Credentials,
  firstSignInLink,
  lockDirectory,
  type Placet,
  type PlacetSettings,
  prepareFirstStart,
  readPlacetSettings,
  startPlacet,
} from '@placet/embedded';
import { createLogger, explain, stopOnSignals } from '@placet/runtime';

async function main(): Promise<void> {
  const settings = readPlacetSettings(process.env);
  const logger = createLogger({ level: settings.logLevel });
  const lock = await lockDirectory(settings.dataDir);
  try {
    const natsServer = process.env['NATS_SERVER'] ?? 'nats-server';
    let placet: Placet | undefined;
    stopOnSignals(async () => {
      lock.markStopping();
      // One that still starts has a broker at most, which ends with this process.
      await placet?.close();
      lock.release();
    });
    placet = await startPlacet({ settings, natsServer, logger });
    const credentials = await prepareFirstStart(placet.gateway, settings);
    const { url } = placet.gateway;
    const signIn = await firstSignInLink(placet.gateway, credentials, settings.publicUrl ?? url);
    tell({ url, signIn, credentials, settings });
  } catch (error) {
    lock.release();
    throw error;
  }
}

type Told = { url: string; signIn: string | null; credentials: Credentials; settings: PlacetSettings };

function tell({ url, signIn, credentials: { agentKey, personToken }, settings }: Told): void {
  const { dataDir, policyFile } = settings;
  if (process.argv.includes('--json')) {
    writeSync(1, `${JSON.stringify({ url, signIn, agentKey, personToken, dataDir })}\n`);
    return;
  }
  const policy =
    policyFile ?? `${url}/v1/policies/default  (PUT replaces it; or set PLACET_POLICY to a file)`;
  writeSync(
    1,
    `
Placet runs. Stop it with Ctrl-C.

  sign in      ${signIn ?? `${url}/sign-in  (your token here is not known any more)`}
  API          ${url}        documentation: ${url}/docs
  agent's key  ${agentKey}
  your token   ${personToken}
  policy       ${policy}
  data         ${dataDir}

Sign in there in a browser (the link works once, for an hour), and ask whether an agent may act:

curl -s '${url}/v1/check' -H 'Authorization: Bearer ${agentKey}' -H 'Content-Type: application/json' -d '{"action_name":"cancel_flight","payload":{"flight_number":"PA441"}}'

`,
  );
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});
