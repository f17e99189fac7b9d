import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { UsersProblem } from './explain.ts';

const busyTimeoutMs = 5_000;

export type SqliteSchema = {
  /** Kept in the file (`user_version`), and raised with every change of the tables. */
  version: number;
  pragmas: readonly string[];
  /** Makes what is not there. */
  tables: string;
  /** Brings a file of this version to the next; from 0, which is before versions were kept. False: it cannot. */
  upgrades: Record<number, (database: DatabaseSync) => boolean>;
  /** What to do with a file that is too old for that. */
  whenTooOld: string;
};

/** Opens a service's file, which only its owner can read, and brings it to the schema's version, or says what to do. */
export function openSqlite(path: string, schema: SqliteSchema): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made before SQLite sees it, so that it is never open to others; the -wal and -shm files take over its mode.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    for (const pragma of ['journal_mode = WAL', ...schema.pragmas]) database.exec(`PRAGMA ${pragma}`);
    database.exec('BEGIN IMMEDIATE');
    bringUpToDate(database, path, schema);
    database.exec('COMMIT');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function bringUpToDate(database: DatabaseSync, path: string, schema: SqliteSchema): void {
  const found = versionOf(database);
  if (found > schema.version) {
    throw new UsersProblem(
      `${path} was written by a newer Placet (schema ${found}, not ${schema.version}): start that one on it.`,
    );
  }
  for (let version = isEmpty(database) ? schema.version : found; version < schema.version; version++) {
    if (!schema.upgrades[version]?.(database)) {
      throw new UsersProblem(
        `${path} was written by an older Placet (schema ${found}, not ${schema.version}). ${schema.whenTooOld}`,
      );
    }
  }
  database.exec(`${schema.tables} PRAGMA user_version = ${schema.version};`);
}

function versionOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

function isEmpty(database: DatabaseSync): boolean {
  const { n } = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number };
  return n === 0;
}
