import { join } from 'node:path';
import {
  type Credentials,
  type Placet,
  prepareFirstStart,
  readPlacetSettings,
  startPlacet,
} from '@placet/embedded';
import type { Service } from '@placet/events';
import { createLogger, type LogLevel } from '@placet/runtime';
import { releaseAfterTest, temporaryDirectory } from './cleanup.ts';
import { type Client, createClient } from './client.ts';
import { natsServerBinary } from './nats.ts';

export type TestPlacet = Credentials & {
  placet: Placet;
  url: string;
  dataDir: string;
  /** With the first agent's key. */
  agent: Client;
  /** With the first person's token. */
  admin: Client;
  close(): Promise<void>;
};

export type TestOptions = {
  /** Settings by their names in the environment. */
  env?: Record<string, string>;
  dataDir?: string;
  services?: readonly Service[];
  /** The text of the default policy. */
  policy?: string;
  logLevel?: LogLevel;
};

/** All of Placet in this process, on a real broker and real stores in a directory of its own. */
export async function startTestPlacet(options: TestOptions = {}): Promise<TestPlacet> {
  const {
    env = {},
    dataDir = join(temporaryDirectory(), 'data'),
    services,
    policy,
    logLevel = 'silent',
  } = options;
  const settings = readPlacetSettings({
    PLACET_PORT: '0',
    PLACET_SYNC_ALWAYS: 'false',
    PLACET_STREAM_SIZE: '256MB',
    PLACET_DATA: dataDir,
    ...env,
  });
  const placet = await startPlacet({
    settings,
    natsServer: natsServerBinary(),
    logger: createLogger({ level: logLevel }),
    ...(services ? { services } : {}),
  });
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= placet.close();
    return closed;
  };
  releaseAfterTest('placet', close);
  const credentials = await firstStart(placet, settings, policy).catch(async (error: unknown) => {
    // Nobody has got it to close it.
    await close();
    throw error;
  });
  const { url } = placet.gateway;
  return {
    ...credentials,
    placet,
    url,
    dataDir,
    agent: createClient(url, credentials.agentKey),
    admin: createClient(url, credentials.personToken),
    close,
  };
}

async function firstStart(
  { gateway }: Placet,
  settings: ReturnType<typeof readPlacetSettings>,
  policy: string | undefined,
): Promise<Credentials> {
  const credentials = await prepareFirstStart(gateway, settings);
  if (policy !== undefined) await gateway.policies.put('default', policy, { by: 'test' });
  return credentials;
}
