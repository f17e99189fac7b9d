import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const POLL_MS = 200;
const HEARTBEAT_MS = 2_000;
const SILENCE_MAX_MS = 20_000;
const WORKER_WAIT_MAX_MS = 180_000;

/**
 * Runs `work` while no other set-up of this checkout does. The lock is a directory with its holder's pid. It is
 * taken over when the holder is dead, or when its heartbeat has not moved while this process watched it (a pid
 * that now belongs to another program, or to another container). `work` is handed a function to name the process
 * that works for it: npm outlives a set-up that is killed with -9, and its end is waited for too.
 */
export async function withLock(directory, { say, silenceMaxMs = SILENCE_MAX_MS }, work) {
  mkdirSync(path.dirname(directory), { recursive: true });
  await acquire(directory, say, silenceMaxMs);
  const heartbeat = setInterval(() => beat(directory), HEARTBEAT_MS);
  const release = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work((pid) => writeFileSync(path.join(directory, 'worker'), String(pid)));
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release);
    release();
  }
}

async function acquire(directory, say, silenceMaxMs) {
  let told = false;
  let lastBeat;
  let lastBeatSeenAt = 0;
  while (!create(directory)) {
    const holder = readHolder(directory);
    if (holder === undefined) continue;
    if (holder.beat !== lastBeat) {
      lastBeat = holder.beat;
      lastBeatSeenAt = performance.now();
    }
    const silentMs = performance.now() - lastBeatSeenAt;
    const gone = silentMs > silenceMaxMs || (holder.pid !== undefined && !isAlive(holder.pid));
    const working = holder.worker !== undefined && isAlive(holder.worker) && silentMs < WORKER_WAIT_MAX_MS;
    if (gone && !working) {
      takeAway(directory, holder.pid);
      continue;
    }
    if (!told) {
      const left = `npm, which an interrupted set-up left running (pid ${holder.worker})`;
      say(`waiting for ${gone ? left : `another set-up (pid ${holder.pid ?? 'unknown'})`}`);
    }
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function create(directory) {
  try {
    mkdirSync(directory);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(path.join(directory, 'pid'), String(process.pid));
  return true;
}

function readHolder(directory) {
  try {
    const beat = statSync(directory).mtimeMs;
    return { beat, pid: readPid(directory, 'pid'), worker: readPid(directory, 'worker') };
  } catch {
    return undefined;
  }
}

function readPid(directory, name) {
  try {
    return Number(readFileSync(path.join(directory, name), 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/** Two may find the same dead holder: the slower one must not remove the lock that the faster one made since. */
function takeAway(directory, deadPid) {
  const aside = `${directory}.stale-${process.pid}`;
  try {
    renameSync(directory, aside);
    if (readPid(aside, 'pid') === deadPid) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, directory);
  } catch {
    // Somebody else was faster; the next attempt sees what there is now.
  }
}

function beat(directory) {
  try {
    utimesSync(directory, new Date(), new Date());
  } catch {
    // The lock is gone; the work goes on, and its result is checked when it is used.
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
