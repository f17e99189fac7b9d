import type { SQLInputValue } from 'node:sqlite';
import { anybody, clocksDifferMaxMs } from './asked.ts';
import type { Prepare } from './sqlite-action.ts';
import type { ListQuery, Selection } from './store.ts';

type Row = Record<string, unknown>;

/** Whether an action of that status is open, as the audience's rows say it. */
const openOf = { pending: [1], decided: [0], all: [1, 0] } as const;

const latestSeq = Number.MAX_SAFE_INTEGER;

/** The searches of the lists, each of which an index answers in its order. */
export type Lists = {
  page(query: ListQuery): Row[];
  count(selection: Selection, max: number): { count: number; oldest: Date | null };
  ofCase(name: string, after: number, limit: number): Row[];
  lastOfCase(name: string, limit: number): Row[];
  lastHeldOfCase(name: string, limit: number): Row[];
};

/** `once`: for statements whose text is another for each number of keys, which are too many to be kept. */
export function createLists(prepare: Prepare, once: Prepare): Lists {
  /** Where in the stream the requests after this time begin. */
  function endOf(until: Date): number {
    const row = prepare(
      `SELECT requested_seq FROM audience INDEXED BY audience_time
        WHERE key = '*' AND requested_at > ? ORDER BY requested_at, requested_seq LIMIT 1`,
    ).get(until.getTime() + clocksDifferMaxMs);
    return row ? (row['requested_seq'] as number) : latestSeq;
  }

  /**
   * The actions of a selection in the order of their requests. An index has those of each key and status in that order:
   * SQLite reads as many as the limit says, and merges them.
   */
  function search({ status, audience, agent, until }: Selection, before: number) {
    const end = until ? Math.min(before, endOf(until)) : before;
    const conditions = [
      ['key = ?', 'open = ?', 'requested_seq < ?'],
      agent === undefined ? [] : ['agent = ?'],
      until ? ['requested_at <= ?'] : [],
    ].flat();
    const each = `SELECT requested_seq, action, requested_at FROM audience WHERE ${conditions.join(' AND ')}`;
    const places = [...new Set(audience ?? [anybody])].flatMap((key) =>
      openOf[status].map((open): SQLInputValue[] => [
        ...[key, open, end],
        ...(agent === undefined ? [] : [agent]),
        ...(until ? [until.getTime()] : []),
      ]),
    );
    return { sql: places.map(() => each).join(' UNION '), values: places.flat() };
  }

  return {
    page({ before = latestSeq, limit, ...selection }) {
      const { sql, values } = search(selection, before);
      if (!sql) return [];
      const found = once(`${sql} ORDER BY requested_seq DESC, action DESC, requested_at DESC LIMIT ?`);
      const row = prepare('SELECT id, action_id, agent, requested_seq, blocked FROM actions WHERE id = ?');
      const actions = found.all(...values, limit).map(({ action }) => row.get(action as number));
      return actions.filter((action) => action !== undefined);
    },

    count(selection, max) {
      const { sql, values } = search(selection, latestSeq);
      if (!sql) return { count: 0, oldest: null };
      // Of the row that has the least, the other columns are too.
      const row = once(
        `SELECT count(*) AS count, min(requested_seq), requested_at
          FROM (${sql} ORDER BY requested_seq, action, requested_at LIMIT ?)`,
      ).get(...values, max);
      const oldest = row?.['requested_at'] as number | null;
      return { count: Number(row?.['count'] ?? 0), oldest: oldest === null ? null : new Date(oldest) };
    },

    lastOfCase(name, limit) {
      return prepare(
        `SELECT id, action_id, agent, requested_seq, blocked, case_seq FROM actions
          WHERE case_name = ? ORDER BY case_seq DESC LIMIT ?`,
      ).all(name, limit);
    },

    lastHeldOfCase(name, limit) {
      return prepare(
        `SELECT id, action_id, agent, requested_seq, blocked, case_seq FROM actions
          WHERE case_name = ? AND needed_seq IS NOT NULL AND requested_seq IS NOT NULL ORDER BY case_seq DESC LIMIT ?`,
      ).all(name, limit);
    },

    ofCase(name, after, limit) {
      return prepare(
        `SELECT id, action_id, agent, requested_seq, blocked, case_seq FROM actions
          WHERE case_name = ? AND case_seq > ? ORDER BY case_seq LIMIT ?`,
      ).all(name, after, limit);
    },
  };
}
