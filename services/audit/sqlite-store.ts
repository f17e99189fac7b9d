import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { configStream, eventStream } from '@placet/events';
import {
  type AuditQuery,
  type AuditRecord,
  type AuditStore,
  type AuditStream,
  checkAppend,
  checkQuery,
  type Head,
  type NewRecord,
  pageOf,
  planAppend,
  type Recorded,
} from './store.ts';

const busyTimeoutMs = 5_000;
const schemaVersion = 1;
const schema = `
  CREATE TABLE IF NOT EXISTS records (
    "index" INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    subject TEXT NOT NULL,
    type TEXT NOT NULL,
    time TEXT NOT NULL,
    recordedAt TEXT NOT NULL,
    agent TEXT,
    action TEXT,
    "case" TEXT,
    body TEXT NOT NULL,
    UNIQUE (stream, seq)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS records_time ON records (time);
  CREATE INDEX IF NOT EXISTS records_agent ON records (agent);
  CREATE INDEX IF NOT EXISTS records_action ON records (action);
  CREATE INDEX IF NOT EXISTS records_case ON records ("case");
  CREATE INDEX IF NOT EXISTS records_type ON records (type);
  PRAGMA user_version = ${schemaVersion};
`;
const columns = [
  'index',
  'id',
  'stream',
  'seq',
  'subject',
  'type',
  'time',
  'recordedAt',
  'agent',
  'action',
  'case',
  'body',
] as const satisfies (keyof AuditRecord)[];
const columnList = columns.map((column) => `"${column}"`).join(', ');
const insertion = `INSERT INTO records (${columnList}) VALUES (${columns.map(() => '?').join(', ')})`;

/** Every field of a query with its condition; `limit` is no condition. */
const conditions = {
  after: '"index" > ?',
  from: 'time >= ?',
  until: 'time < ?',
  agent: 'agent = ?',
  action: 'action = ?',
  case: '"case" = ?',
  type: 'type = ?',
} as const;

export async function openSqliteAuditStore(path: string): Promise<AuditStore> {
  const database = openDatabase(path);
  const statements = new Map<string, StatementSync>();
  // The texts are as many as there are sets of query fields (128), so this cache is bounded.
  const prepared = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };

  function size(): number {
    const last = prepared('SELECT max("index") AS last FROM records').get() as { last: number | null };
    return last.last === null ? 0 : last.last + 1;
  }

  function position(stream: AuditStream): number {
    const row = prepared('SELECT max(seq) AS last FROM records WHERE stream = ?').get(stream);
    return (row as { last: number | null }).last ?? 0;
  }

  function recordedOf(records: NewRecord[]): Recorded[] {
    const find = prepared(
      'SELECT id, stream, seq, subject, body FROM records WHERE id = ? OR (stream = ? AND seq = ?)',
    );
    return records.flatMap(({ id, stream, seq }) => find.all(id, stream, seq) as unknown as Recorded[]);
  }

  /** What `work` reads is of one moment. IMMEDIATE: nobody else writes meanwhile, and all is stored or nothing. */
  function transaction<T>(mode: 'DEFERRED' | 'IMMEDIATE', work: () => T): T {
    database.exec(`BEGIN ${mode}`);
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk), and then a second time is an error.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    async head(): Promise<Head> {
      return transaction('DEFERRED', () => ({
        size: size(),
        positions: { [eventStream]: position(eventStream), [configStream]: position(configStream) },
      }));
    },

    async append(records, expectedSize) {
      checkAppend(records, expectedSize);
      return transaction('IMMEDIATE', () => {
        const fresh = planAppend(records, recordedOf(records));
        const before = size();
        if (fresh.length === 0) return { outcome: 'stored', size: before };
        if (before !== expectedSize) return { outcome: 'fenced' };
        const insert = prepared(insertion);
        fresh.forEach((record, offset) => {
          const row: AuditRecord = { ...record, index: before + offset };
          insert.run(...columns.map((column) => row[column]));
        });
        return { outcome: 'stored', size: before + fresh.length };
      });
    },

    async query(query) {
      const { sql, values, limit } = selection(checkQuery(query));
      return pageOf(prepared(sql).all(...values) as unknown as AuditRecord[], limit);
    },

    async close() {
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
}

function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made before SQLite sees it, so that it is never open to others; the -wal and -shm files take over its mode.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = FULL');
    // Ids are random, so records touch pages all over the indexes: those are kept at hand (32 MB), and written back
    // from the journal after 16 MB instead of 4, each page once for more of its records.
    database.exec('PRAGMA cache_size = -32768');
    database.exec('PRAGMA wal_autocheckpoint = 4000');
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version > schemaVersion) {
      throw new Error(`${path} was written by a newer Placet (schema ${version}): start that one on it.`);
    }
    database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function selection(query: AuditQuery): { sql: string; values: SQLInputValue[]; limit: number } {
  const fields = (Object.keys(conditions) as (keyof typeof conditions)[]).filter(
    (field) => query[field] !== undefined,
  );
  const where = fields.length === 0 ? '' : `WHERE ${fields.map((field) => conditions[field]).join(' AND ')}`;
  return {
    sql: `SELECT ${columnList} FROM records ${where} ORDER BY "index" LIMIT ?`,
    values: [...fields.map((field) => query[field] as SQLInputValue), query.limit + 1],
    limit: query.limit,
  };
}
