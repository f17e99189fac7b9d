import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UsersProblem } from '@placet/runtime';
import { z } from 'zod';
import {
  type BrokerFiles,
  brokerFiles,
  endOrphanedBroker,
  forgetBroker,
  recordBroker,
} from './broker-lock.ts';
import { readJsonFile, writePrivateFile } from './private-file.ts';

/** Opening a store of millions of subjects after a crash takes a quarter of a minute. */
const READY_WAIT_MS = 120_000;
const STOP_WAIT_MS = 10_000;
const POLL_MS = 10;
const COMPLAINT_CHARS_MAX = 4_000;
const FILE_STORE_BYTES_MAX = 16 * 1024 ** 3;
const MEMORY_STORE_BYTES_MAX = 128 * 1024 ** 2;

export type NatsServerOptions = {
  binary: string;
  /** Everything the broker writes is in here, and only the owner can read it. */
  dir: string;
  /** Every write is on the disk before it is acknowledged: survives a power cut, and is about six times slower. */
  syncAlways: boolean;
  fileStoreBytesMax?: number;
  /** The address and password that a broker before this one had, so that its clients find it again. */
  reuse?: Connection;
  /** How long a broker may take over its own end before it is killed. */
  stopWaitMs?: number;
};

export type NatsServerExit = { code: number | null; signal: NodeJS.Signals | null; requested: boolean };

export type NatsServer = {
  url: string;
  user: string;
  password: string;
  pid: number;
  /** Resolves, never rejects, when the broker has ended; `requested` is false when nobody asked for it. */
  exited: Promise<NatsServerExit>;
  stop(): Promise<void>;
};

export const connectionSchema = z.object({ url: z.string(), user: z.string(), password: z.string() });
export type Connection = z.infer<typeof connectionSchema>;

export class NatsServerFailed extends UsersProblem {
  override readonly name = 'NatsServerFailed';
  readonly code = 'NATS_SERVER_FAILED';
}

/** How to reach the broker that runs on `dir`, for another process of the same user; undefined when none runs. */
export function readConnection(dir: string): Connection | undefined {
  const parsed = connectionSchema.safeParse(readJsonFile(connectionFile(dir)));
  return parsed.success ? parsed.data : undefined;
}

/** Starts a private broker: loopback only, a port and a password of its own, JetStream on files in `dir`. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  // One name for one directory: a broker is recognised by the path of its configuration.
  const dir = realpathSync(options.dir);
  chmodSync(dir, 0o700);
  const files = brokerFiles(dir);
  const stopWaitMs = options.stopWaitMs ?? STOP_WAIT_MS;
  await endOrphanedBroker(files, stopWaitMs);
  clearRunFiles(dir);

  const { user, password } = options.reuse ?? {
    user: 'placet',
    password: randomBytes(24).toString('base64url'),
  };
  mkdirSync(portsDir(dir), { mode: 0o700 });
  writePrivateFile(files.config, configText({ ...options, dir, files, user, password }));

  const child = spawnPrivately(options.binary, ['-c', files.config]);
  const running = watch(child, dir, files, stopWaitMs);
  try {
    if (child.pid !== undefined) recordBroker(files, child.pid);
    const url = await running.ready();
    writePrivateFile(
      connectionFile(dir),
      `${JSON.stringify({ url, user, password } satisfies Connection)}\n`,
    );
    // A broker that died in between took its files with it, and this one with them.
    if (child.exitCode !== null || child.signalCode !== null) clearRunFiles(dir);
    return { url, user, password, pid: child.pid as number, exited: running.exited, stop: running.stop };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/**
 * The files of the broker are made with the umask it is born with. It has a process group of its own, so that a
 * Ctrl-C in the terminal ends the services first and the broker, by `stop`, last.
 */
function spawnPrivately(binary: string, args: string[]): ChildProcess {
  const before = process.umask(0o077);
  try {
    return spawn(binary, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true, windowsHide: true });
  } finally {
    process.umask(before);
  }
}

function watch(child: ChildProcess, dir: string, files: BrokerFiles, stopWaitMs: number) {
  let requested = false;
  let ended = false;
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_CHARS_MAX);
  });

  const endWithThisProcess = () => child.kill('SIGTERM');
  process.once('exit', endWithThisProcess);

  const exited = new Promise<NatsServerExit>((resolve) => {
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      if (ended) return;
      ended = true;
      process.off('exit', endWithThisProcess);
      clearRunFiles(dir);
      forgetBroker(files);
      resolve({ code, signal, requested });
    };
    child.once('exit', finish);
    child.once('error', (error) => {
      // Only a broker that never started has no pid; other errors (a signal not sent) end nothing.
      if (child.pid !== undefined) return;
      complaint = error.message;
      finish(null, null);
    });
  });

  async function ready(): Promise<string> {
    const deadline = performance.now() + READY_WAIT_MS;
    for (;;) {
      if (ended)
        throw new NatsServerFailed(`nats-server did not start: ${complaint.trim() || lastLogged(dir)}`);
      const url = readUrl(dir);
      if (url) return url;
      if (performance.now() > deadline) {
        throw new NatsServerFailed(
          `nats-server was not ready in ${READY_WAIT_MS / 1000} s; see ${logFile(dir)}`,
        );
      }
      await delay(POLL_MS);
    }
  }

  async function stop(): Promise<void> {
    if (ended) return;
    requested = true;
    child.kill('SIGTERM');
    const deadline = new AbortController();
    const late = delay(stopWaitMs, 'late' as const, { signal: deadline.signal }).catch(
      () => 'ended' as const,
    );
    const first = await Promise.race([exited, late]);
    deadline.abort();
    if (first === 'late' && !ended) child.kill('SIGKILL');
    await exited;
  }

  return { exited, ready, stop };
}

function readUrl(dir: string): string | undefined {
  const name = readdirSync(portsDir(dir)).find((entry) => entry.endsWith('.ports'));
  // The server may still be writing the file: what does not parse yet is read again.
  const ports =
    name === undefined ? undefined : portsSchema.safeParse(readJsonFile(path.join(portsDir(dir), name)));
  return ports?.success ? ports.data.nats[0] : undefined;
}

const portsSchema = z.object({ nats: z.array(z.string()).min(1) });

function lastLogged(dir: string): string {
  try {
    return readFileSync(logFile(dir), 'utf8')
      .slice(-COMPLAINT_CHARS_MAX)
      .trim()
      .split('\n')
      .slice(-5)
      .join('\n');
  } catch {
    return 'it said nothing';
  }
}

/** What is true only while a broker runs. */
function clearRunFiles(dir: string): void {
  rmSync(connectionFile(dir), { force: true });
  rmSync(portsDir(dir), { recursive: true, force: true });
}

const connectionFile = (dir: string) => path.join(dir, 'connection.json');
const portsDir = (dir: string) => path.join(dir, 'ports');
const logFile = (dir: string) => path.join(dir, 'nats-server.log');

type ConfigInput = NatsServerOptions & { files: BrokerFiles; user: string; password: string };

function configText({
  dir,
  files,
  syncAlways,
  fileStoreBytesMax,
  reuse,
  user,
  password,
}: ConfigInput): string {
  // The server's configuration is a superset of JSON.
  return JSON.stringify(
    {
      server_name: 'placet',
      host: '127.0.0.1',
      port: reuse ? Number(new URL(reuse.url).port) : -1,
      ports_file_dir: portsDir(dir),
      pid_file: files.pid,
      log_file: logFile(dir),
      log_size_limit: 10 * 1024 ** 2,
      log_max_num: 3,
      max_payload: 2 * 1024 ** 2,
      authorization: { user, password },
      jetstream: {
        store_dir: path.join(dir, 'store'),
        max_file_store: fileStoreBytesMax ?? FILE_STORE_BYTES_MAX,
        max_memory_store: MEMORY_STORE_BYTES_MAX,
        ...(syncAlways ? { sync_interval: 'always' } : {}),
      },
    },
    undefined,
    2,
  );
}
