import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type FileLock, takeFileLock, UsersProblem } from '@placet/runtime';
import { z } from 'zod';
import { readJsonFile, writePrivateFile } from './private-file.ts';
import { identifyThisProcess, isRunning } from './process-identity.ts';

const STOPPING_WAIT_MS = 8_000;
const POLL_MS = 50;

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
 * Two walls. The system's own file lock, which a dead owner cannot keep. And `placet.lock`, which tells who the owner is,
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
  const mutex = takeFileLock(path.join(dir, '.placet.mutex'));
  const holder = liveHolder(file);
  if (!mutex) return { got: false, holder, unsettled: holder === undefined };
  if (holder) {
    mutex.release();
    return { got: false, holder, unsettled: false };
  }
  return { got: true, lock: own(file, mutex) };
}

function own(file: string, mutex: FileLock): DirectoryLock {
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
      mutex.release();
    },
  };
}

function liveHolder(file: string): Holder | undefined {
  const parsed = holderSchema.safeParse(readJsonFile(file));
  return parsed.success && isRunning(parsed.data) ? parsed.data : undefined;
}
