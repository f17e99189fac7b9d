import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startCluster } from '@placet/cluster';
import { type Service, services } from '@placet/events';
import { childNamed, type Pids } from '../processes.ts';
import { makeWorkspace } from '../workspace.ts';

/** Placet as it is measured: where it answers, its processes, and where its projections lie. */
export type Running = {
  url: string;
  agentKey: string;
  personToken: string;
  startMs: number;
  pids: Pids;
  dataDir: string;
  close(): Promise<void>;
};

export type ShapeOptions = {
  natsServer: string;
  syncAlways: boolean;
  /** Arguments of Node for each process, such as a profiler's. */
  nodeArgs?: (process: string) => readonly string[];
  env?: (service: Service) => Record<string, string>;
  /** Of five processes: how many of a service. */
  instances?: Partial<Record<Service, number>>;
};

export const shapes = { one: startOneProcess, five: startFiveProcesses } as const;
export type Shape = keyof typeof shapes;

const policy = `version: 1
rules:
  - action: read
    decide: allow
default: require_approval
`;
const unlimited = { PLACET_RATE_PER_KEY: '10000000', PLACET_RATE_PER_ADDRESS: '10000000' };
/** Ten times the samples of a run have to fit. */
const streamSize = { PLACET_STREAM_SIZE: '8GB' };

function workspace() {
  const { dir, remove } = makeWorkspace();
  const policyFile = join(dir, 'policy.yaml');
  writeFileSync(policyFile, policy);
  return { dir, policyFile, remove };
}

/** `npm start`, in a process of its own. */
async function startOneProcess(options: ShapeOptions): Promise<Running> {
  const { dir, policyFile, remove } = workspace();
  const dataDir = join(dir, 'data');
  const script = join(import.meta.dirname, '../../scripts/start.ts');
  const begun = performance.now();
  const child = spawn(process.execPath, [...(options.nodeArgs?.('placet') ?? []), script, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NATS_SERVER: options.natsServer,
      PLACET_SUPERVISOR_PID: String(process.pid),
      PLACET_DATA: dataDir,
      PLACET_PORT: '0',
      PLACET_POLICY: policyFile,
      PLACET_SYNC_ALWAYS: String(options.syncAlways),
      ...unlimited,
      ...streamSize,
    },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    remove();
  };
  const ready = await new Promise<Pick<Running, 'url' | 'agentKey' | 'personToken'>>((resolve, reject) => {
    createInterface(child.stdout).once('line', (line) => resolve(JSON.parse(line)));
    void ended.then(() => reject(new Error('Placet ended before it was ready')));
  });
  const startMs = performance.now() - begun;
  const pid = child.pid as number;
  const pids = { 'nats-server': childNamed(pid, 'nats-server'), placet: pid };
  return { ...ready, startMs, pids, dataDir, close };
}

/** A process a service, as it is deployed, with one broker and SQLite. */
async function startFiveProcesses(options: ShapeOptions): Promise<Running> {
  const { natsServer, syncAlways, instances, nodeArgs = () => [], env = () => ({}) } = options;
  const { dir, policyFile, remove } = workspace();
  const dataDir = join(dir, 'data');
  const ofEach = <T>(value: (service: Service) => T) =>
    Object.fromEntries(services.map((service) => [service, value(service)])) as Record<Service, T>;
  const begun = performance.now();
  const cluster = await startCluster({
    natsServer,
    dir: dataDir,
    syncAlways,
    streams: streamSize,
    ...(instances ? { instances } : {}),
    nodeArgs: ofEach(nodeArgs),
    env: ofEach((service) => ({
      ...(service === 'gateway' ? { ...unlimited, PLACET_POLICY: policyFile } : {}),
      ...env(service),
    })),
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  const startMs = performance.now() - begun;
  const pids: Pids = { 'nats-server': cluster.brokers[0]?.pid() ?? 0 };
  for (const { service, pid } of cluster.services) pids[service] = pid() ?? 0;
  return {
    url: cluster.of('gateway')[0]?.url ?? '',
    agentKey: cluster.agentKey,
    personToken: cluster.personToken,
    startMs,
    pids,
    dataDir,
    async close() {
      await cluster.stop();
      remove();
    },
  };
}
