import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

type Environment = Record<string, string | undefined>;

const installTimeoutMs = 300_000;
const run = promisify(execFile);

/** The interpreter of a virtual environment in the project's cache, made at the first need and kept. */
export async function pythonWith(
  requirements: readonly string[],
  env: Environment = process.env,
): Promise<string> {
  const base = onPath('python3', env);
  if (!base) throw new Error(`no python3 on the PATH (for ${requirements.join(', ')} from PyPI)`);
  const cache = resolve(import.meta.dirname, '../..', env['PLACET_CACHE'] || '.cache', 'python');
  mkdirSync(cache, { recursive: true });
  const { stdout } = await run(base, ['-c', 'import platform; print(platform.python_version())']);
  const home = join(cache, `${requirements.join('+')}-python${stdout.trim()}`);
  const python = join(home, 'bin', 'python3');
  const done = join(home, 'complete');
  if (existsSync(done)) return python;
  await withLock(join(cache, 'lock'), async () => {
    if (existsSync(done)) return;
    process.stderr.write(`Python: installing ${requirements.join(', ')} from PyPI (once)\n`);
    rmSync(home, { recursive: true, force: true });
    const bounded = { timeout: installTimeoutMs, killSignal: 'SIGKILL' } as const;
    await run(base, ['-m', 'venv', home], bounded);
    await run(python, ['-m', 'pip', 'install', '--no-input', '--quiet', ...requirements], bounded);
    writeFileSync(done, '');
  });
  return python;
}

/** SQLite's lock of a file: only one process is inside, and one that dies lets go of it. */
async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  const database = new DatabaseSync(path, { timeout: 0 });
  const deadline = Date.now() + installTimeoutMs;
  const entered = () => {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return true;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      return false;
    }
  };
  try {
    while (!entered()) await sleep(200);
    await work();
  } finally {
    database.close();
  }
}

export function onPath(program: string, env: Environment): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
