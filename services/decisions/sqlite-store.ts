import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { audienceOf, type PlacetEvent } from '@placet/events';
import { openSqlite, type SqliteSchema } from '@placet/runtime';
import {
  type ActionRecord,
  type ForgedMessage,
  isAhead,
  isKept,
  type ListQuery,
  type OutcomeStore,
  type OwedAction,
  owedAfterMs,
  type Position,
  type StoredEvent,
} from './store.ts';

/**
 * Whoever reached the broker can put a message under another agent's name: that is another action. And a stream that
 * was made anew has the same sequences once more.
 *
 * What a power cut takes of a write-ahead log takes the position with it, and is read from the stream again.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS actions (
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER,
    needed_seq INTEGER, deadline INTEGER,
    decided_seq INTEGER, blocked INTEGER NOT NULL DEFAULT 0,
    closed_seq INTEGER, owed_seq INTEGER, owed_at INTEGER,
    PRIMARY KEY (action_id, agent)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    action_id TEXT NOT NULL, agent TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (action_id, agent, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS audience (
    key TEXT NOT NULL, needed_seq INTEGER NOT NULL, action_id TEXT NOT NULL, agent TEXT NOT NULL,
    PRIMARY KEY (key, needed_seq, action_id, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS held ON actions (needed_seq) WHERE needed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS open_deadline ON actions (deadline, needed_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS unjudged ON actions (requested_at, requested_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NULL;
  CREATE INDEX IF NOT EXISTS owed ON actions (owed_at, owed_seq) WHERE owed_seq IS NOT NULL;
`;

const schema: SqliteSchema = {
  version: 1,
  pragmas: ['synchronous = NORMAL'],
  tables,
  upgrades: {
    // The last form without a version is this one; before it an action was not told apart by its agent.
    0: (database) => {
      const key = database
        .prepare("SELECT name FROM pragma_table_info('actions') WHERE pk > 0 ORDER BY pk")
        .all();
      return key.map(({ name }) => name).join() === 'action_id,agent';
    },
  },
  whenTooOld:
    'Move it away with its -wal and -shm files, and start again: the outcomes are built from the stream. Those that ' +
    'are older than what the stream holds are on the record alone.',
};

/** A later request under the same id is another action: what came before it in the stream is not its own. */
const upsert = {
  requested: `INSERT INTO actions (action_id, agent, requested_seq, requested_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (action_id, agent) DO UPDATE SET
      requested_seq = ?3, requested_at = ?4,
      needed_seq = CASE WHEN needed_seq > ?3 THEN needed_seq END,
      deadline = CASE WHEN needed_seq > ?3 THEN deadline END,
      decided_seq = CASE WHEN decided_seq > ?3 THEN decided_seq END,
      blocked = CASE WHEN decided_seq > ?3 THEN blocked ELSE 0 END,
      closed_seq = CASE WHEN closed_seq > ?3 THEN closed_seq END,
      owed_at = CASE WHEN owed_seq > ?3 THEN owed_at END,
      owed_seq = CASE WHEN owed_seq > ?3 THEN owed_seq END
    WHERE coalesce(requested_seq, 0) < ?3`,
  needed: `INSERT INTO actions (action_id, agent, needed_seq, deadline) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (action_id, agent) DO UPDATE SET needed_seq = ?3, deadline = ?4
    WHERE coalesce(needed_seq, 0) < ?3 AND coalesce(requested_seq, 0) < ?3`,
  decided: `INSERT INTO actions (action_id, agent, decided_seq) VALUES (?1, ?2, ?3)
    ON CONFLICT (action_id, agent) DO UPDATE SET decided_seq = ?3, blocked = 0
    WHERE coalesce(decided_seq, 0) < ?3 AND coalesce(requested_seq, 0) < ?3`,
  blocked: `INSERT INTO actions (action_id, agent, decided_seq, blocked) VALUES (?1, ?2, ?3, 1)
    ON CONFLICT (action_id, agent) DO UPDATE SET decided_seq = ?3, blocked = 1
    WHERE coalesce(decided_seq, 0) <= ?3 AND coalesce(requested_seq, 0) < ?3`,
  closed: `INSERT INTO actions (action_id, agent, closed_seq) VALUES (?1, ?2, ?3)
    ON CONFLICT (action_id, agent) DO UPDATE SET
      closed_seq = ?3,
      owed_at = CASE WHEN owed_seq > ?3 THEN owed_at END,
      owed_seq = CASE WHEN owed_seq > ?3 THEN owed_seq END
    WHERE coalesce(closed_seq, 0) < ?3 AND coalesce(requested_seq, 0) < ?3`,
  owed: `INSERT INTO actions (action_id, agent, owed_seq, owed_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (action_id, agent) DO UPDATE SET owed_seq = ?3, owed_at = ?4
    WHERE max(coalesce(owed_seq, 0), coalesce(closed_seq, 0), coalesce(requested_seq, 0)) < ?3`,
  event: 'INSERT OR IGNORE INTO events (action_id, agent, seq, body) VALUES (?, ?, ?, ?)',
  audience: 'INSERT OR IGNORE INTO audience (key, needed_seq, action_id, agent) VALUES (?, ?, ?, ?)',
};

const statusClause = {
  pending: 'AND a.decided_seq IS NULL',
  decided: 'AND a.decided_seq IS NOT NULL',
  all: '',
} as const;

type Row = Record<string, unknown>;

export function openSqliteOutcomeStore(path: string): OutcomeStore {
  const database = openSqlite(path, schema);
  let read = storedPosition(database);
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };

  function applyForged({ seq, forged, at }: ForgedMessage): void {
    const { actionId, agent, isDecision } = forged;
    if (isDecision) statement(upsert.blocked).run(actionId, agent, seq);
    statement(upsert.owed).run(actionId, agent, seq, at.getTime());
  }

  function applyOne({ seq, event }: StoredEvent): void {
    if (!('action_id' in event.data)) return;
    const { action_id, agent } = event.data;
    const owe = () => statement(upsert.owed).run(action_id, agent, seq, Date.parse(event.time) + owedAfterMs);
    if (event.type === 'approval.closed') {
      statement(upsert.closed).run(action_id, agent, seq);
      return;
    }
    if (!isKept(event)) return;
    statement(upsert.event).run(action_id, agent, seq, JSON.stringify(event));
    switch (event.type) {
      case 'approval.voted':
        owe();
        break;
      case 'action.requested':
        statement(upsert.requested).run(action_id, agent, seq, Date.parse(event.time));
        break;
      case 'approval.needed':
        statement(upsert.needed).run(action_id, agent, seq, Date.parse(event.data.deadline));
        for (const key of audienceOf(event.data.demands))
          statement(upsert.audience).run(key, seq, action_id, agent);
        break;
      case 'action.decided':
        statement(upsert.decided).run(action_id, agent, seq);
        if (event.data.held) owe();
        break;
    }
  }

  function record(actionId: string, agent: string, fromSeq: number, blocked: boolean): ActionRecord {
    const rows = statement(
      'SELECT seq, body FROM events WHERE action_id = ? AND agent = ? AND seq >= ? ORDER BY seq',
    ).all(actionId, agent, fromSeq);
    const events = rows.map((row: Row) => ({
      seq: row['seq'] as number,
      event: JSON.parse(row['body'] as string) as PlacetEvent,
    }));
    return { actionId, agent, events, blocked };
  }

  const recordOf = (row: Row) =>
    record(
      row['action_id'] as string,
      row['agent'] as string,
      (row['requested_seq'] as number | null) ?? 0,
      row['blocked'] === 1,
    );

  function list({ status, audience, before, limit }: ListQuery): Row[] {
    const until = before ?? Number.MAX_SAFE_INTEGER;
    const columns = 'a.action_id, a.agent, a.requested_seq, a.needed_seq, a.blocked';
    const tail = `${statusClause[status]} ORDER BY a.needed_seq DESC LIMIT ?`;
    if (audience === null) {
      return statement(`SELECT ${columns} FROM actions a WHERE a.needed_seq < ? ${tail}`).all(until, limit);
    }
    const marks = audience.map(() => '?').join(', ');
    return statement(
      `SELECT ${columns} FROM actions a WHERE a.needed_seq < ? AND (a.needed_seq, a.action_id, a.agent) IN
        (SELECT needed_seq, action_id, agent FROM audience WHERE key IN (${marks})) ${tail}`,
    ).all(until, ...audience, limit);
  }

  return {
    async apply(messages, position) {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const message of messages) {
          if ('event' in message) applyOne(message);
          else applyForged(message);
        }
        if (isAhead(position, read)) {
          statement("INSERT OR REPLACE INTO meta (name, value) VALUES ('position', ?)").run(
            JSON.stringify(position),
          );
        }
        database.exec('COMMIT');
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
      if (isAhead(position, read)) read = position;
    },

    async position() {
      return read;
    },

    // The file is this process's alone.
    async lead() {
      return true;
    },

    async block({ actionId, agent, seq }) {
      statement(upsert.blocked).run(actionId, agent, seq);
    },

    async get(actionId) {
      // Of several the one that has events of ours is the agent who asked.
      const row = statement(
        `SELECT action_id, agent, requested_seq, blocked FROM actions a WHERE action_id = ?
          ORDER BY EXISTS (SELECT 1 FROM events e WHERE e.action_id = a.action_id AND e.agent = a.agent) DESC, agent
          LIMIT 1`,
      ).get(actionId);
      return row ? recordOf(row) : null;
    },

    async list(query) {
      const rows = list({ ...query, limit: query.limit + 1 });
      const page = rows.slice(0, query.limit);
      const last = page.at(-1)?.['needed_seq'] as number | undefined;
      return { records: page.map(recordOf), before: rows.length > query.limit ? (last ?? null) : null };
    },

    async due(now, requestedBefore, limit) {
      const overdue = statement(
        `SELECT action_id, agent FROM actions
          WHERE decided_seq IS NULL AND needed_seq IS NOT NULL AND deadline <= ? ORDER BY deadline, needed_seq LIMIT ?`,
      ).all(now.getTime(), limit);
      const unjudged = statement(
        `SELECT action_id, agent FROM actions
          WHERE decided_seq IS NULL AND needed_seq IS NULL AND requested_at <= ? ORDER BY requested_at, requested_seq LIMIT ?`,
      ).all(requestedBefore.getTime(), limit);
      return [...overdue, ...unjudged].map((row: Row) => ({
        actionId: row['action_id'] as string,
        agent: row['agent'] as string,
      }));
    },

    async countOpen() {
      const count = (clause: string) => {
        const row = statement(
          `SELECT count(*) AS n FROM actions WHERE decided_seq IS NULL AND ${clause}`,
        ).get();
        return Number(row?.['n'] ?? 0);
      };
      const held = count('needed_seq IS NOT NULL');
      return { held, undecided: held + count('needed_seq IS NULL AND requested_at IS NOT NULL') };
    },

    async owed(now, limit) {
      const rows = statement(
        `SELECT action_id, agent, owed_seq FROM actions
          WHERE owed_seq IS NOT NULL AND owed_at <= ? ORDER BY owed_at, owed_seq LIMIT ?`,
      ).all(now.getTime(), limit);
      return rows.map(
        (row: Row): OwedAction => ({
          actionId: row['action_id'] as string,
          agent: row['agent'] as string,
          seq: row['owed_seq'] as number,
        }),
      );
    },

    async settle({ actionId, agent, seq }) {
      statement(
        'UPDATE actions SET owed_seq = NULL, owed_at = NULL WHERE action_id = ? AND agent = ? AND owed_seq <= ?',
      ).run(actionId, agent, seq);
    },

    async close() {
      database.close();
    },
  };
}

function storedPosition(database: DatabaseSync): Position | null {
  const row = database.prepare("SELECT value FROM meta WHERE name = 'position'").get();
  return row ? (JSON.parse(row['value'] as string) as Position) : null;
}
