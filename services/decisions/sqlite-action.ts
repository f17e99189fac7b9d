import type { StatementSync } from 'node:sqlite';
import type { EventOf } from '@placet/events';
import { askedBy } from './asked.ts';
import {
  type DueAction,
  type ForgedMessage,
  isKept,
  type OwedAction,
  owedAfterMs,
  type StoredEvent,
} from './store.ts';

/** A statement that is prepared once. */
export type Prepare = (sql: string) => StatementSync;

/**
 * Each of an action's row (`?1`). A later request under the same id is another action: what came before it in the
 * stream is not its own.
 */
const update = {
  requested: `UPDATE actions SET
      requested_seq = ?2, requested_at = ?3, case_name = ?4, case_seq = iif(?4 IS NULL, NULL, ?2),
      needed_seq = CASE WHEN needed_seq > ?2 THEN needed_seq END,
      due = CASE WHEN asked_seq > ?2 THEN due END,
      audience = CASE WHEN asked_seq > ?2 THEN audience END,
      asked_seq = CASE WHEN asked_seq > ?2 THEN asked_seq END,
      decided_seq = CASE WHEN decided_seq > ?2 THEN decided_seq END,
      blocked = CASE WHEN decided_seq > ?2 THEN blocked ELSE 0 END,
      closed_seq = CASE WHEN closed_seq > ?2 THEN closed_seq END,
      owed_at = CASE WHEN owed_seq > ?2 THEN owed_at END,
      owed_seq = CASE WHEN owed_seq > ?2 THEN owed_seq END
    WHERE id = ?1 AND coalesce(requested_seq, 0) < ?2`,
  needed: `UPDATE actions SET needed_seq = ?2
    WHERE id = ?1 AND coalesce(needed_seq, 0) < ?2 AND coalesce(requested_seq, 0) < ?2`,
  asked: `UPDATE actions SET asked_seq = ?2, due = ?3, audience = ?4
    WHERE id = ?1 AND coalesce(asked_seq, 0) < ?2 AND coalesce(requested_seq, 0) < ?2`,
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
  // Of an action that was requested the request says of which case it is; of one that was not, the first log that does.
  logged: `UPDATE actions SET case_name = ?3, case_seq = ?2
    WHERE id = ?1 AND requested_seq IS NULL AND (case_seq IS NULL OR case_seq > ?2)`,
} as const;

const insert = {
  action: 'INSERT INTO actions (action_id, agent) VALUES (?, ?)',
  requested: `INSERT INTO actions (action_id, agent, requested_seq, requested_at, case_name, case_seq)
    VALUES (?1, ?2, ?3, ?4, ?5, iif(?5 IS NULL, NULL, ?3))`,
  event: 'INSERT OR IGNORE INTO events (action, seq, body) VALUES (?, ?, ?)',
} as const;

/** Under which keys, and where among them, an action is found by who looks for it. */
const listing = {
  found: `SELECT decided_seq IS NULL AS open, requested_seq, id, agent, requested_at, audience FROM actions
    WHERE id = ? AND needed_seq IS NOT NULL AND requested_seq IS NOT NULL`,
  add: 'INSERT INTO audience (key, open, requested_seq, action, agent, requested_at) VALUES (?, ?, ?, ?, ?, ?)',
  remove: 'DELETE FROM audience WHERE key = ? AND open = ? AND requested_seq = ? AND action = ?',
} as const;

type Row = { id: number | bigint; isHeld: boolean };
type Listing = { keys: string[]; place: [number, number, number]; agent: string; at: number };

export type Applying = {
  event(message: StoredEvent): void;
  forged(message: ForgedMessage): void;
  block(action: OwedAction): void;
};

/** What each message makes of its action's rows. */
export function createApplying(prepare: Prepare): Applying {
  function find({ actionId, agent }: DueAction): Row | null {
    const row = prepare('SELECT id, needed_seq FROM actions WHERE action_id = ? AND agent = ?').get(
      actionId,
      agent,
    );
    return row ? { id: row['id'] as number, isHeld: row['needed_seq'] !== null } : null;
  }

  function make({ actionId, agent }: DueAction): Row {
    return { id: prepare(insert.action).run(actionId, agent).lastInsertRowid, isHeld: false };
  }

  function makeRequested(
    { actionId, agent }: DueAction,
    seq: number,
    event: EventOf<'action.requested'>,
  ): Row {
    const values = [actionId, agent, seq, Date.parse(event.time), event.data.case ?? null];
    return { id: prepare(insert.requested).run(...values).lastInsertRowid, isHeld: false };
  }

  function listingOf({ id }: Row): Listing | null {
    const row = prepare(listing.found).get(id);
    if (!row) return null;
    const { open, requested_seq: seq, agent, requested_at: at, audience } = row;
    return {
      keys: JSON.parse(audience as string) as string[],
      place: [open as number, seq as number, row['id'] as number],
      agent: agent as string,
      at: at as number,
    };
  }

  /** Only an action that was held is listed, and it is written anew only where it is found elsewhere than before. */
  function relisting(row: Row, change: () => void): void {
    const before = listingOf(row);
    change();
    const after = listingOf(row);
    if (JSON.stringify(before) === JSON.stringify(after)) return;
    for (const key of before?.keys ?? []) prepare(listing.remove).run(key, ...(before?.place ?? []));
    if (!after) return;
    for (const key of after.keys) prepare(listing.add).run(key, ...after.place, after.agent, after.at);
  }

  function block(row: Row, seq: number): void {
    const change = () => void prepare(update.blocked).run(row.id, seq);
    if (row.isHeld) relisting(row, change);
    else change();
  }

  return {
    event({ seq, event }) {
      if (!('action_id' in event.data)) return;
      const isClosing = event.type === 'approval.closed';
      if (!isClosing && !isKept(event)) return;
      const action = { actionId: event.data.action_id, agent: event.data.agent };
      const known = find(action);
      // Most actions begin with their request, and then it is all that their row says.
      const isWhole = known === null && event.type === 'action.requested';
      const row = known ?? (isWhole ? makeRequested(action, seq, event) : make(action));
      if (!isClosing) prepare(insert.event).run(row.id, seq, JSON.stringify(event));
      if (isWhole) return;
      const work = () => change(prepare, row, { seq, event });
      if (row.isHeld || event.type === 'approval.needed') relisting(row, work);
      else work();
    },

    forged({ seq, forged, at }) {
      const row = find(forged) ?? make(forged);
      if (forged.isDecision) block(row, seq);
      prepare(update.owed).run(row.id, seq, at.getTime());
    },

    block({ seq, ...action }) {
      block(find(action) ?? make(action), seq);
    },
  };
}

function change(prepare: Prepare, { id }: Row, { seq, event }: StoredEvent): void {
  const owe = () => prepare(update.owed).run(id, seq, Date.parse(event.time) + owedAfterMs);
  const asked = askedBy(event);
  if (asked) prepare(update.asked).run(id, seq, asked.due.getTime(), JSON.stringify(asked.audience));
  switch (event.type) {
    case 'action.requested':
      prepare(update.requested).run(id, seq, Date.parse(event.time), event.data.case ?? null);
      break;
    case 'approval.needed':
      prepare(update.needed).run(id, seq);
      break;
    case 'approval.voted':
      owe();
      break;
    case 'action.decided':
      prepare(update.decided).run(id, seq);
      if (event.data.held) owe();
      break;
    case 'approval.closed':
      prepare(update.closed).run(id, seq);
      break;
    case 'action.logged':
      if (event.data.case !== undefined) prepare(update.logged).run(id, seq, event.data.case);
      break;
  }
}
