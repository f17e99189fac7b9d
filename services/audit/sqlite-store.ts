import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { configStream, eventStream } from '@placet/events';
import { openSqlite, type SqliteSchema } from '@placet/runtime';
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

const schema: SqliteSchema = {
  version: 2,
  pragmas: [
    'synchronous = FULL',
    // Ids are random, so records touch pages all over the indexes: those are kept at hand (32 MB), and written back
    // from the journal after 16 MB instead of 4, each page once for more of its records.
    'cache_size = -32768',
    'wal_autocheckpoint = 4000',
  ],
  tables: `
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
    seal TEXT,
    flaw TEXT,
    UNIQUE (stream, seq)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS records_time ON records (time);
  CREATE INDEX IF NOT EXISTS records_agent ON records (agent);
  CREATE INDEX IF NOT EXISTS records_action ON records (action);
  CREATE INDEX IF NOT EXISTS records_case ON records ("case");
  CREATE INDEX IF NOT EXISTS records_type ON records (type);
  CREATE INDEX IF NOT EXISTS records_flaw ON records ("index") WHERE flaw IS NOT NULL;
  `,
  upgrades: {
    // What was recorded before seals and flaws were kept has neither, and is not looked at again.
    1: (database) => {
      database.exec('ALTER TABLE records ADD COLUMN seal TEXT; ALTER TABLE records ADD COLUMN flaw TEXT;');
      return true;
    },
  },
  whenTooOld:
    'Keep it, and start on another directory: the record begins again with what the stream still holds.',
};
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
  'seal',
  'flaw',
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
  flawed: 'flaw IS NOT NULL',
} as const;

export async function openSqliteAuditStore(path: string): Promise<AuditStore> {
  const database = openSqlite(path, schema);
  const statements = new Map<string, StatementSync>();
  // The texts are as many as there are sets of query fields, in two orders (512), so this cache is bounded.
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

function selection(query: AuditQuery): { sql: string; values: SQLInputValue[]; limit: number } {
  const isBack = query.newest === true;
  const fields = (Object.keys(conditions) as (keyof typeof conditions)[]).filter(
    (field) => query[field] !== undefined,
  );
  const where = fields.length === 0 ? '' : `WHERE ${fields.map(conditionOf).join(' AND ')}`;
  function conditionOf(field: keyof typeof conditions): string {
    return isBack && field === 'after' ? '"index" < ?' : conditions[field];
  }
  return {
    sql: `SELECT ${columnList} FROM records ${where} ORDER BY "index"${isBack ? ' DESC' : ''} LIMIT ?`,
    values: [...fields.flatMap((field) => valuesOf(query, field)), query.limit + 1],
    limit: query.limit,
  };
}

function valuesOf(query: AuditQuery, field: keyof typeof conditions): SQLInputValue[] {
  const value = query[field];
  return value === undefined || value === true ? [] : [value];
}
