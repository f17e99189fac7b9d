import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const PRIVATE = 0o600;

/** Writes a file that only its owner can read, whole or not at all. */
export function writePrivateFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.tmp`;
  // The mode counts only for a file that is made: one left behind by a crash must go.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { mode: PRIVATE, flag: 'wx', flush: true });
  renameSync(temporary, file);
}

/** The value in a JSON file; undefined when there is no such file or it is not JSON. */
export function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
