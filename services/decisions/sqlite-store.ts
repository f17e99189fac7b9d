import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { audienceOf, type PlacetEvent } from '@placet/events';
import { openSqlite } from '@placet/runtime';
import { outcomeSchema } from './sqlite-schema.ts';
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
 * Each of an action's row (`?1`). A later request under the same id is another action: what came before it in the
 * stream is not its own.
 */
const update = {
  requested: `UPDATE actions SET
      requested_seq = ?2, requested_at = ?3,
      needed_seq = CASE WHEN needed_seq > ?2 THEN needed_seq END,
      deadline = CASE WHEN needed_seq > ?2 THEN deadline END,
      decided_seq = CASE WHEN decided_seq > ?2 THEN decided_seq END,
      blocked = CASE WHEN decided_seq > ?2 THEN blocked ELSE 0 END,
      closed_seq = CASE WHEN closed_seq > ?2 THEN closed_seq END,
      owed_at = CASE WHEN owed_seq > ?2 THEN owed_at END,
      owed_seq = CASE WHEN owed_seq > ?2 THEN owed_seq END
    WHERE id = ?1 AND coalesce(requested_seq, 0) < ?2`,
  needed: `UPDATE actions SET needed_seq = ?2, deadline = ?3
    WHERE id = ?1 AND coalesce(needed_seq, 0) < ?2 AND coalesce(requested_seq, 0) < ?2`,
  decided: `UPDATE actions SET decided_seq = ?2, blocked = 0
    WHERE id = ?1 AND coalesce(decided_seq, 0) < ?2 AND coalesce(requested_seq, 0) < ?2`,
  blocked: `UPDATE actions SET decided_seq = ?2, blocked = 1
    WHERE id = ?1 AND coalesce(decided_seq, 0) <= ?2 AND coalesce(requested_seq, 0) < ?2`,
  closed: `UPDATE actions SET
      closed_seq = ?2,
      owed_at = CASE WHEN owed_seq > ?2 THEN owed_at END,
      owed_seq = CASE WHEN owed_seq > ?2 THEN owed_seq END
    WHERE id = ?1 AND coalesce(closed_seq, 0) < ?2 AND coalesce(requested_seq, 0) < ?2`,
  owed: `UPDATE actions SET owed_seq = ?2, owed_at = ?3
    WHERE id = ?1 AND max(coalesce(owed_seq, 0), coalesce(closed_seq, 0), coalesce(requested_seq, 0)) < ?2`,
} as const;

const insert = {
  action: 'INSERT INTO actions (action_id, agent) VALUES (?, ?)',
  event: 'INSERT OR IGNORE INTO events (action, seq, body) VALUES (?, ?, ?)',
  audience: 'INSERT OR IGNORE INTO audience (key, needed_seq, action) VALUES (?, ?, ?)',
} as const;

const statusClause = {
  pending: 'AND a.decided_seq IS NULL',
  decided: 'AND a.decided_seq IS NOT NULL',
  all: '',
} as const;

type Row = Record<string, unknown>;

export function openSqliteOutcomeStore(path: string): OutcomeStore {
  const database = openSqlite(path, outcomeSchema);
  let read = storedPosition(database);
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };

  /** The row of an action, which is made where it is not known yet. */
  function rowOf(actionId: string, agent: string): number | bigint {
    const known = statement('SELECT id FROM actions WHERE action_id = ? AND agent = ?').get(actionId, agent);
    if (known) return known['id'] as number;
    return statement(insert.action).run(actionId, agent).lastInsertRowid;
  }

  function applyForged({ seq, forged, at }: ForgedMessage): void {
    const row = rowOf(forged.actionId, forged.agent);
    if (forged.isDecision) statement(update.blocked).run(row, seq);
    statement(update.owed).run(row, seq, at.getTime());
  }

  function applyOne({ seq, event }: StoredEvent): void {
    if (!('action_id' in event.data)) return;
    const isClosing = event.type === 'approval.closed';
    if (!isClosing && !isKept(event)) return;
    const row = rowOf(event.data.action_id, event.data.agent);
    const owe = () => statement(update.owed).run(row, seq, Date.parse(event.time) + owedAfterMs);
    if (!isClosing) statement(insert.event).run(row, seq, JSON.stringify(event));
    switch (event.type) {
      case 'approval.closed':
        statement(update.closed).run(row, seq);
        break;
      case 'approval.voted':
        owe();
        break;
      case 'action.requested':
        statement(update.requested).run(row, seq, Date.parse(event.time));
        break;
      case 'approval.needed':
        statement(update.needed).run(row, seq, Date.parse(event.data.deadline));
        for (const key of audienceOf(event.data.demands)) statement(insert.audience).run(key, seq, row);
        break;
      case 'action.decided':
        statement(update.decided).run(row, seq);
        if (event.data.held) owe();
        break;
    }
  }

  function recordOf(row: Row): ActionRecord {
    const rows = statement('SELECT seq, body FROM events WHERE action = ? AND seq >= ? ORDER BY seq').all(
      row['id'] as number,
      (row['requested_seq'] as number | null) ?? 0,
    );
    const events = rows.map((found: Row) => ({
      seq: found['seq'] as number,
      event: JSON.parse(found['body'] as string) as PlacetEvent,
    }));
    const [actionId, agent] = [row['action_id'] as string, row['agent'] as string];
    return { actionId, agent, events, blocked: row['blocked'] === 1 };
  }

  function list({ status, audience, before, limit }: ListQuery): Row[] {
    const until = before ?? Number.MAX_SAFE_INTEGER;
    const columns = 'a.id, a.action_id, a.agent, a.requested_seq, a.needed_seq, a.blocked';
    const tail = `${statusClause[status]} ORDER BY a.needed_seq DESC LIMIT ?`;
    if (audience === null) {
      return statement(`SELECT ${columns} FROM actions a WHERE a.needed_seq < ? ${tail}`).all(until, limit);
    }
    const marks = audience.map(() => '?').join(', ');
    return statement(
      `SELECT ${columns} FROM actions a WHERE a.needed_seq < ? AND (a.needed_seq, a.id) IN
        (SELECT needed_seq, action FROM audience WHERE key IN (${marks})) ${tail}`,
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
      statement(update.blocked).run(rowOf(actionId, agent), seq);
    },

    async get(actionId) {
      // Of several the one that has events of ours is the agent who asked.
      const row = statement(
        `SELECT id, action_id, agent, requested_seq, blocked FROM actions a WHERE action_id = ?
          ORDER BY EXISTS (SELECT 1 FROM events e WHERE e.action = a.id) DESC, agent LIMIT 1`,
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
