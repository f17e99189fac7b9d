import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Service, services } from '@placet/events';
import { makeSecrets, secretFiles } from '../../scripts/deploy/make-secrets.ts';
import { natsConfText } from '../../scripts/nats-conf.ts';
import { type Broker, createBrokers } from './brokers.ts';
import { freePort } from './ports.ts';
import { createServiceProcess, inherited, type ServiceProcess } from './service-process.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

export type ClusterOptions = {
  natsServer: string;
  /** Everything it writes is in here. */
  dir: string;
  nodes?: number;
  /** How many of each service; one of each, if not said. */
  instances?: Partial<Record<Service, number>>;
  /** Without it the outcomes and the record are SQLite files, each of one instance alone. */
  mongodbUrl?: string;
  syncAlways?: boolean;
  /** Settings of the services, by their names. */
  env?: Partial<Record<Service, Record<string, string>>>;
  /** Settings of `deploy:streams`, such as PLACET_STREAM_SIZE. */
  streams?: Record<string, string>;
  subscribers?: readonly string[];
  gatewayPorts?: readonly number[];
  nodeArgs?: Partial<Record<Service, readonly string[]>>;
  /** The first of each service begins at the first broker, the second at the second: it hears of the others from there. */
  spread?: boolean;
};

export type Cluster = {
  brokers: Broker[];
  services: ServiceProcess[];
  of(service: Service): ServiceProcess[];
  natsUrl: string;
  secretsDir: string;
  agentKey: string;
  personToken: string;
  /** `deploy:streams` once more, with other settings. */
  deployStreams(settings?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
};

/** The arrangement of docker-compose.yml without Docker: the same processes, the same settings, the same secrets. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dir, nodes = 1, subscribers = [], syncAlways = false } = options;
  const secretsDir = join(dir, 'secrets');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  makeSecrets(secretsDir, subscribers);
  const brokersDir = join(dir, 'nats');
  mkdirSync(brokersDir, { recursive: true, mode: 0o700 });
  writeFileSync(join(brokersDir, 'nats.conf'), natsConfText(), { mode: 0o600 });
  for (const name of [secretFiles.natsPasswords, secretFiles.natsSubscribers]) {
    symlinkSync(join(secretsDir, name), join(brokersDir, name));
  }
  const brokers = await createBrokers({ binary: options.natsServer, dir: brokersDir, nodes, syncAlways });
  const natsUrl = brokers.map(({ url }) => url).join(',');
  const processes: ServiceProcess[] = [];
  const stop = async () => {
    await Promise.all(processes.map((process) => process.end()));
    await Promise.all(brokers.map((broker) => broker.end()));
  };
  const common = { PLACET_NATS_URL: natsUrl };
  const deployStreams = async (settings: Record<string, string> = {}) =>
    void (await command('deploy/streams.ts', {
      ...common,
      ...secret('PLACET_NATS_PASSWORD', secretsDir, secretFiles.natsPassword('deploy')),
      PLACET_REPLICAS: String(nodes),
      PLACET_SUBSCRIBERS: subscribers.join(','),
      ...options.streams,
      ...settings,
    }));
  try {
    await Promise.all(brokers.map((broker) => broker.start()));
    await deployStreams();
    processes.push(...(await createProcesses(options, secretsDir, brokers)));
    // The gateway comes last, so that no request is taken before there is somebody to judge it.
    await startAll(processes.filter(({ service }) => service !== 'gateway'));
    const made = await command('deploy/admin.ts', { ...common, ...identityOf('gateway', secretsDir) });
    await startAll(processes.filter(({ service }) => service === 'gateway'));
    const { agentKey, personToken } = JSON.parse(made) as { agentKey: string; personToken: string };
    const of = (service: Service) => processes.filter((process) => process.service === service);
    const started = { brokers, services: processes, of, natsUrl, secretsDir, agentKey, personToken };
    return { ...started, deployStreams, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const startsAtOnce = 3;

/** A few at a time: started all at once, each would take as long as all together. */
async function startAll(processes: ServiceProcess[]): Promise<void> {
  for (let from = 0; from < processes.length; from += startsAtOnce) {
    await Promise.all(processes.slice(from, from + startsAtOnce).map((process) => process.start()));
  }
}

async function createProcesses(
  options: ClusterOptions,
  secretsDir: string,
  brokers: Broker[],
): Promise<ServiceProcess[]> {
  const urls = brokers.map(({ url }) => url);
  const created: ServiceProcess[] = [];
  for (const service of services) {
    const count = options.instances?.[service] ?? 1;
    for (let i = 0; i < count; i++) {
      const chosen = service === 'gateway' ? options.gatewayPorts?.[i] : undefined;
      created.push(
        createServiceProcess({
          service,
          name: `${service}-${i + 1}`,
          port: chosen ?? (await freePort()),
          dir: options.dir,
          env: {
            PLACET_NATS_URL: (options.spread ? urls[i % urls.length] : undefined) ?? urls.join(','),
            PLACET_LOG_LEVEL: 'info',
            ...identityOf(service, secretsDir),
            ...(opensBoxes(service) ? secret('PLACET_MASTER_KEY', secretsDir, secretFiles.masterKey) : {}),
            ...(service === 'decisions' || service === 'audit' ? storeOf(options) : {}),
            ...options.env?.[service],
          },
          nodeArgs: options.nodeArgs?.[service] ?? [],
        }),
      );
    }
  }
  return created;
}

const opensBoxes = (service: Service) => service === 'gateway' || service === 'notifier';

const storeOf = ({ mongodbUrl, dir }: ClusterOptions): Record<string, string> =>
  mongodbUrl === undefined ? { PLACET_DATA: dir } : { PLACET_MONGODB_URL: mongodbUrl };

/** The files by which a service shows who it is, as docker-compose.yml mounts them. */
export function identityOf(service: Service, secretsDir: string): Record<string, string> {
  const password = secret('PLACET_NATS_PASSWORD', secretsDir, secretFiles.natsPassword(service));
  const seal = secret('PLACET_SEAL_KEYS', secretsDir, secretFiles.sealKeys);
  const trusted = secret('PLACET_TRUSTED_KEYS', secretsDir, secretFiles.trustedKeys);
  switch (service) {
    case 'gateway':
      return { ...password, ...seal };
    case 'policy':
      return { ...password, ...seal, ...secret('PLACET_SIGNING_KEY', secretsDir, secretFiles.policyKey) };
    case 'decisions':
      return { ...password, ...seal, ...secret('PLACET_SIGNING_KEY', secretsDir, secretFiles.decisionsKey) };
    case 'notifier':
    case 'audit':
      return { ...password, ...trusted };
    default:
      return service satisfies never;
  }
}

const secret = (name: string, dir: string, file: string) => ({ [`${name}_FILE`]: join(dir, file) });

async function command(script: string, env: Record<string, string>): Promise<string> {
  try {
    const ran = await run(process.execPath, [join(root, 'scripts', script)], {
      cwd: root,
      env: { ...inherited(), PLACET_LOG_LEVEL: 'warn', ...env },
      timeout: 120_000,
    });
    return ran.stdout;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`scripts/${script} failed:\n${stderr}`, { cause: error });
  }
}
