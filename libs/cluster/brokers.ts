import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { guarded } from './guard.ts';
import { until } from './mongodb-server.ts';
import { freePort } from './ports.ts';

export type Broker = {
  name: string;
  url: string;
  pid(): number | undefined;
  isRunning(): boolean;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it with a signal and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
};

export type BrokersOptions = {
  binary: string;
  /** Holds `nats.conf` and the passwords beside it; each node has a directory of its own under it. */
  dir: string;
  nodes: number;
  syncAlways: boolean;
};

/** One node, or several that form a cluster, on loopback ports of their own, by the configuration of a deployment. */
export async function createBrokers(options: BrokersOptions): Promise<Broker[]> {
  const { nodes, dir } = options;
  const places = await Promise.all(
    Array.from({ length: nodes }, async (_, i) => ({
      name: `nats-${i + 1}`,
      port: await freePort(),
      route: await freePort(),
    })),
  );
  const routes = places.map(({ route }) => `nats://127.0.0.1:${route}`);
  return places.map((place) => createBroker(options, join(dir, place.name), place, nodes > 1 ? routes : []));
}

type Place = { name: string; port: number; route: number };

function createBroker(options: BrokersOptions, dir: string, place: Place, routes: string[]): Broker {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Beside the deployment's own, which it includes: an include is looked for where the file that names it lies.
  const config = join(options.dir, `${place.name}.conf`);
  writeFileSync(config, configText(options, dir, place, routes), { mode: 0o600 });
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();

  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    if (isRunning()) return;
    const log = openSync(join(dir, 'nats-server.log'), 'a', 0o600);
    const started = spawn(options.binary, ['-c', config], { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const release = guarded(started);
    ended = new Promise<void>((resolve) => {
      started.once('exit', () => resolve());
      started.once('error', () => resolve());
    }).then(release);
    child = started;
    await until(async () => {
      if (!isRunning()) throw new Error(`${place.name} did not start; see ${join(dir, 'nats-server.log')}`);
      await accepts(place.port);
    });
  }

  const kill = (signal: NodeJS.Signals) => void (isRunning() && child?.kill(signal));

  return {
    name: place.name,
    url: `nats://127.0.0.1:${place.port}`,
    pid: () => (isRunning() ? child?.pid : undefined),
    isRunning,
    start,
    kill,
    async end(signal = 'SIGTERM') {
      kill(signal);
      // Who is stopped does not hear.
      if (signal !== 'SIGKILL') child?.kill('SIGCONT');
      await ended;
    },
  };
}

function configText({ syncAlways }: BrokersOptions, dir: string, place: Place, routes: string[]): string {
  const cluster = `cluster {
  name: placet
  listen: "127.0.0.1:${place.route}"
  routes: [${routes.map((route) => `"${route}"`).join(', ')}]
}
`;
  return `include "nats.conf"
server_name: ${place.name}
listen: "127.0.0.1:${place.port}"
jetstream {
  store_dir: "${join(dir, 'store')}"
  max_file_store: 16GB
  ${syncAlways ? 'sync_interval: always' : ''}
}
${routes.length > 0 ? cluster : ''}`;
}

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.setTimeout(1000, () => {
      socket.destroy();
      reject(new Error(`nobody says hello on port ${port}`));
    });
  });
}
