import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from '@placet/events';
import { until } from './mongodb-server.ts';

/** As in deploy/Dockerfile. Where there is much memory, Node would let the youngest of its objects grow to 128 MB. */
export const nodeFlags = ['--max-semi-space-size=16'];

const root = join(import.meta.dirname, '../..');

/** What each of our processes takes over: where programs are, and where Node keeps what it has compiled before. */
export function inherited(): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  return { PATH, ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}

/** How a process ended, and whether we had asked for it. */
export type ProcessEnd = {
  pid: number | undefined;
  code: number | null;
  signal: NodeJS.Signals | null;
  isAsked: boolean;
};

export type ServiceProcess = {
  service: Service;
  /** Such as `gateway-2`. */
  name: string;
  url: string;
  log: string;
  /** Its settings, by their names. */
  env: Readonly<Record<string, string>>;
  pid(): number | undefined;
  isRunning(): boolean;
  /** How each of its processes ended so far. */
  ends: readonly ProcessEnd[];
  /** Starts it, and answers without waiting for it to be ready. */
  launch(): void;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  end(signal?: NodeJS.Signals): Promise<void>;
};

export type ServiceProcessOptions = {
  service: Service;
  name: string;
  port: number;
  /** Its settings, by their names. Nothing else of our own environment reaches it. */
  env: Record<string, string>;
  dir: string;
  nodeArgs?: readonly string[];
};

/** A service as an operator runs it: a process of its own, configured by its environment alone. */
export function createServiceProcess(options: ServiceProcessOptions): ServiceProcess {
  const { service, name, port, dir, nodeArgs = [] } = options;
  const env = { PLACET_HOST: '127.0.0.1', PLACET_PORT: String(port), ...options.env };
  const log = join(dir, `${name}.log`);
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let ended: Promise<void> = Promise.resolve();
  let isAsked = false;
  const ends: ProcessEnd[] = [];

  const isRunning = () => child !== undefined && child.exitCode === null && child.signalCode === null;

  function launch(): void {
    if (isRunning()) return;
    const output = openSync(log, 'a', 0o600);
    const started = spawn(
      process.execPath,
      [...nodeFlags, ...nodeArgs, join(root, 'services', service, 'main.ts')],
      {
        cwd: root,
        env: {
          ...inherited(),
          // It ends when we do, whatever ended us.
          PLACET_SUPERVISOR_PID: String(process.pid),
          ...env,
        },
        stdio: ['ignore', 'ignore', output],
      },
    );
    closeSync(output);
    isAsked = false;
    ended = new Promise((resolve) => {
      started.once('exit', (code, signal) => {
        ends.push({ pid: started.pid, code, signal, isAsked });
        resolve();
      });
      started.once('error', () => resolve());
    });
    child = started;
  }

  function kill(signal: NodeJS.Signals): void {
    if (!isRunning()) return;
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') isAsked = true;
    child?.kill(signal);
  }

  return {
    service,
    name,
    url,
    log,
    env,
    pid: () => (isRunning() ? child?.pid : undefined),
    isRunning,
    ends,
    launch,
    async start() {
      launch();
      await until(async () => {
        if (!isRunning()) throw new Error(`${name} ended; see ${log}`);
        const { status } = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(1000) });
        if (status !== 200) throw new Error(`${name} is not ready (${status}); see ${log}`);
      });
    },
    kill,
    async end(signal = 'SIGTERM') {
      kill(signal);
      if (signal !== 'SIGKILL') child?.kill('SIGCONT');
      await ended;
    },
  };
}
