import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { UsersProblem } from '@placet/runtime';
import { z } from 'zod';
import { readJsonFile, writePrivateFile } from './private-file.ts';
import { identifyThisProcess, isRunning } from './process-identity.ts';

const STOPPING_WAIT_MS = 8_000;
const POLL_MS = 50;
const SQLITE_BUSY = 5;

const holderSchema = z.object({
  pid: z.int(),
  identity: z.string(),
  startedAt: z.string(),
  state: z.enum(['running', 'stopping']),
});
type Holder = z.infer<typeof holderSchema>;

export type DirectoryLock = {
  /** Tells a successor that this process is on its way out, so that it waits instead of giving up. */
  markStopping(): void;
  release(): void;
};

export class DirectoryInUse extends UsersProblem {
  override readonly name = 'DirectoryInUse';
  readonly code = 'DIRECTORY_IN_USE';
  readonly pid: number | undefined;

  constructor(dir: string, pid: number | undefined) {
    super(
      `Placet already runs on ${dir} (pid ${pid ?? 'unknown'}). Stop it first, or set PLACET_DATA to another directory.`,
    );
    this.pid = pid;
  }
}

/**
 * Makes this process the one owner of a data directory.
 *
 * Two walls. The system's own file lock, held through SQLite for as long as the owner lives: it cannot go stale,
 * and of many who find a dead owner at once exactly one gets it. And `placet.lock`, which tells who the owner is,
 * and is believed on its own where file locks do nothing (some network and shared file systems).
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const deadline = performance.now() + STOPPING_WAIT_MS;
  for (;;) {
    const attempt = tryLock(dir);
    if (attempt.got) return attempt.lock;
    const stopping = attempt.holder?.state === 'stopping';
    if (!stopping && !attempt.unsettled) throw new DirectoryInUse(dir, attempt.holder?.pid);
    if (performance.now() > deadline) throw new DirectoryInUse(dir, attempt.holder?.pid);
    // Two that try at the same instant can both be refused; the jitter parts them.
    await delay(POLL_MS * (0.5 + Math.random()));
  }
}

type Attempt =
  | { got: true; lock: DirectoryLock }
  /** Unsettled: the file lock is taken, and the owner has not yet said, or no longer says, who it is. */
  | { got: false; holder: Holder | undefined; unsettled: boolean };

function tryLock(dir: string): Attempt {
  const file = path.join(dir, 'placet.lock');
  const mutex = takeMutex(path.join(dir, '.placet.mutex'));
  const holder = liveHolder(file);
  if (!mutex) return { got: false, holder, unsettled: holder === undefined };
  if (holder) {
    mutex.close();
    return { got: false, holder, unsettled: false };
  }
  return { got: true, lock: own(file, mutex) };
}

function own(file: string, mutex: DatabaseSync): DirectoryLock {
  const self = { ...identifyThisProcess(), startedAt: new Date().toISOString() };
  const write = (state: Holder['state']) => writePrivateFile(file, `${JSON.stringify({ ...self, state })}\n`);
  let released = false;
  write('running');
  return {
    markStopping() {
      if (!released) write('stopping');
    },
    release() {
      if (released) return;
      released = true;
      // The name goes first: once the file lock is free the file may be a successor's.
      rmSync(file, { force: true });
      mutex.close();
    },
  };
}

function liveHolder(file: string): Holder | undefined {
  const parsed = holderSchema.safeParse(readJsonFile(file));
  return parsed.success && isRunning(parsed.data) ? parsed.data : undefined;
}

function takeMutex(file: string): DatabaseSync | undefined {
  createPrivately(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
}

/** Never opens a file that exists: closing it would drop the locks that this process holds on it (POSIX). */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
