import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { readJsonFile, writePrivateFile } from './private-file.ts';
import { describeProcess, identifyThisProcess, isRunning, type ProcessIdentity } from './process-identity.ts';

const KILL_WAIT_MS = 5_000;
const POLL_MS = 20;

const processSchema = z.object({ pid: z.int(), identity: z.string() });
const brokerLockSchema = processSchema.extend({ config: z.string(), owner: processSchema });

/** The files by which a broker's process is found again after a crash. */
export type BrokerFiles = { lock: string; pid: string; config: string };

export function brokerFiles(dir: string): BrokerFiles {
  return {
    lock: path.join(dir, 'nats-server.lock'),
    pid: path.join(dir, 'nats-server.pid'),
    config: path.join(dir, 'nats-server.conf'),
  };
}

export class BrokerInUse extends Error {
  override readonly name = 'BrokerInUse';
  readonly code = 'BROKER_IN_USE';
}

export function recordBroker(files: BrokerFiles, pid: number): void {
  const identity = describeProcess(pid)?.identity;
  // A broker that is gone already needs no record.
  if (identity === undefined) return;
  const record = { pid, identity, config: files.config, owner: identifyThisProcess() };
  writePrivateFile(files.lock, `${JSON.stringify(record)}\n`);
}

export function forgetBroker(files: BrokerFiles): void {
  rmSync(files.lock, { force: true });
  rmSync(files.pid, { force: true });
}

/**
 * nats-server outlives a parent that is killed with -9 and does not lock its files, and two on the same files
 * corrupt them. So a broker left behind is ended, and waited for, before another starts.
 */
export async function endOrphanedBroker(files: BrokerFiles, termWaitMs: number): Promise<void> {
  const lock = brokerLockSchema.safeParse(readJsonFile(files.lock));
  if (lock.success && isRunning(lock.data)) {
    const { pid, owner, config } = lock.data;
    if (isRunning(owner)) {
      throw new BrokerInUse(
        `a broker (pid ${pid}) of process ${owner.pid} runs on ${path.dirname(files.lock)}`,
      );
    }
    if (!names(pid, config)) {
      throw new BrokerInUse(`process ${pid} may be a broker left behind: end it, or delete ${files.lock}`);
    }
    await end(lock.data, termWaitMs);
  }
  await endByPidFile(files, termWaitMs);
  forgetBroker(files);
}

/** The broker writes its pid itself: this finds one whose parent died before it could write the lock. */
async function endByPidFile(files: BrokerFiles, termWaitMs: number): Promise<void> {
  if (!existsSync(files.pid)) return;
  const pid = Number(readFileSync(files.pid, 'utf8').trim());
  const found = describeProcess(pid);
  if (!found || !names(pid, files.config)) return;
  if (path.basename(found.command[0]?.split(' ')[0] ?? '').startsWith('nats-server'))
    await end(found, termWaitMs);
}

/** Whether the process was started with this configuration: the last argument we give to a broker. */
function names(pid: number, config: string): boolean {
  return describeProcess(pid)?.command.at(-1)?.endsWith(config) ?? false;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function end(broker: ProcessIdentity, termWaitMs: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', termWaitMs],
    ['SIGKILL', KILL_WAIT_MS],
  ] as const) {
    if (!isRunning(broker)) return;
    send(broker.pid, signal);
    const deadline = performance.now() + waitMs;
    while (isRunning(broker) && performance.now() < deadline) await delay(POLL_MS);
  }
  if (isRunning(broker)) throw new BrokerInUse(`the broker left behind (pid ${broker.pid}) cannot be ended`);
}
