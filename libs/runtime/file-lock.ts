import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const SQLITE_BUSY = 5;

export type FileLock = { release(): void };

/**
 * The system's own file lock, held through SQLite for as long as its owner lives: it cannot go stale, and of many who
 * find a dead owner at once exactly one gets it. Null when somebody has it.
 */
export function takeFileLock(file: string): FileLock | null {
  createPrivately(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return { release: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
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
