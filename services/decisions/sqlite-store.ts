import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { PlacetEvent } from '@placet/events';
import { openSqlite } from '@placet/runtime';
import { createApplying } from './sqlite-action.ts';
import { createLists } from './sqlite-lists.ts';
import { outcomeSchema } from './sqlite-schema.ts';
import { type ActionRecord, isAhead, type OutcomeStore, type OwedAction, type Position } from './store.ts';

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
  const applying = createApplying(statement);
  const lists = createLists(statement, (sql) => database.prepare(sql));

  function inTransaction(work: () => void): void {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
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

  return {
    async apply(messages, position) {
      inTransaction(() => {
        for (const message of messages) {
          if ('event' in message) applying.event(message);
          else applying.forged(message);
        }
        if (isAhead(position, read)) {
          statement("INSERT OR REPLACE INTO meta (name, value) VALUES ('position', ?)").run(
            JSON.stringify(position),
          );
        }
      });
      if (isAhead(position, read)) read = position;
    },

    async position() {
      return read;
    },

    // The file is this process's alone.
    async lead() {
      return true;
    },

    async block(action) {
      inTransaction(() => applying.block(action));
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
      const rows = lists.page({ ...query, limit: query.limit + 1 });
      const { page, last } = pageOf(rows, query.limit, 'requested_seq');
      return { records: page.map(recordOf), before: last };
    },

    async count(selection, max) {
      return lists.count(selection, max);
    },

    async ofCase(name, { after = 0, limit }) {
      const { page, last } = pageOf(lists.ofCase(name, after, limit + 1), limit, 'case_seq');
      return { records: page.map(recordOf), after: last };
    },

    async lastOfCase(name, limit) {
      return lists.lastOfCase(name, limit).map(recordOf);
    },

    async lastHeldOfCase(name, limit) {
      return lists.lastHeldOfCase(name, limit).map(recordOf);
    },

    async due(now, requestedBefore, limit) {
      const overdue = statement(
        `SELECT action_id, agent FROM actions
          WHERE decided_seq IS NULL AND needed_seq IS NOT NULL AND due <= ? ORDER BY due, asked_seq LIMIT ?`,
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

/** Of one row more than a page has, the page, and where the next one goes on. */
function pageOf(rows: Row[], limit: number, cursor: string): { page: Row[]; last: number | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1)?.[cursor] as number | undefined;
  return { page, last: rows.length > limit ? (last ?? null) : null };
}

function storedPosition(database: DatabaseSync): Position | null {
  const row = database.prepare("SELECT value FROM meta WHERE name = 'position'").get();
  return row ? (JSON.parse(row['value'] as string) as Position) : null;
}
