import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const PROBE_TIMEOUT_MS = 10_000;

/** The first "1.2" or "1.2.3" in a text, as numbers. */
export function parseVersion(text) {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

export function isAtLeast(version, floor) {
  const difference = [0, 1, 2].map((part) => (version[part] ?? 0) - (floor[part] ?? 0)).find((d) => d !== 0);
  return (difference ?? 0) >= 0;
}

/** What `FILE --version` says: `{ version }`, or `{ problem }` when it cannot be run or says nothing of use. */
export function probeVersion(file) {
  const { error, status, stdout } = spawnSync(file, ['--version'], {
    encoding: 'utf8',
    timeout: PROBE_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (error) return { problem: `cannot be run (${error.code ?? error.message})` };
  const version = status === 0 ? parseVersion(stdout) : undefined;
  return version ? { version } : { problem: 'does not say its version' };
}

/** `probeVersion` that remembers, as long as the file keeps its size and time of change. */
export function rememberingProbe(cacheDir) {
  const memoryFile = path.join(cacheDir, 'versions.json');
  return (file) => {
    let key;
    try {
      const { size, mtimeMs, ino } = statSync(file);
      key = `${path.resolve(file)} ${size} ${mtimeMs} ${ino}`;
    } catch {
      return { problem: 'does not exist' };
    }
    const memory = readMemory(memoryFile);
    if (Array.isArray(memory[key])) return { version: memory[key] };

    const probed = probeVersion(file);
    if (probed.version) writeMemory(memoryFile, { ...memory, [key]: probed.version });
    return probed;
  };
}

const REMEMBERED_MAX = 20;

function readMemory(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

function writeMemory(file, memory) {
  const recent = Object.fromEntries(Object.entries(memory).slice(-REMEMBERED_MAX));
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(temporary, JSON.stringify(recent));
    renameSync(temporary, file);
  } catch {
    // Only speed is lost: the version is asked for again next time.
  }
}
