import type { SqliteSchema } from '@placet/runtime';
import { audienceTable, fromVersion0, fromVersion1 } from './sqlite-upgrades.ts';

/**
 * Whoever reached the broker can put a message under another agent's name: that is another action. And a stream that
 * was made anew has the same sequences once more.
 *
 * Ids of actions are random. Of all that is written for an action only one index is in their order; the rest is in the
 * order of the actions' coming, so that what is stored together lies together. Each page that a commit touches costs
 * more than the rows in it.
 *
 * Most actions are decided by the policy alone: no index but the first has those, unless they are of a case.
 *
 * What a power cut takes of a write-ahead log takes the position with it, and is read from the stream again.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY,
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER,
    needed_seq INTEGER, due INTEGER,
    decided_seq INTEGER, blocked INTEGER NOT NULL DEFAULT 0,
    closed_seq INTEGER, owed_seq INTEGER, owed_at INTEGER,
    asked_seq INTEGER, audience TEXT, case_name TEXT, case_seq INTEGER,
    UNIQUE (action_id, agent)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, action INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (action, seq)
  ) STRICT;
  ${audienceTable}
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS audience_agent ON audience (key, agent, open, requested_seq, action, requested_at);
  CREATE INDEX IF NOT EXISTS audience_time ON audience (requested_at, requested_seq) WHERE key = '*';
  CREATE INDEX IF NOT EXISTS open_due ON actions (due, asked_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS unjudged ON actions (requested_at, requested_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NULL;
  CREATE INDEX IF NOT EXISTS owed ON actions (owed_at, owed_seq) WHERE owed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS of_case ON actions (case_name, case_seq) WHERE case_name IS NOT NULL;
  CREATE INDEX IF NOT EXISTS held_of_case ON actions (case_name, case_seq)
    WHERE case_name IS NOT NULL AND needed_seq IS NOT NULL AND requested_seq IS NOT NULL;
`;

export const outcomeSchema: SqliteSchema = {
  version: 2,
  pragmas: [
    'synchronous = NORMAL',
    // Written back after 16 MB instead of 4, each page once for more of what it holds.
    'wal_autocheckpoint = 4000',
    'cache_size = -32768',
  ],
  tables,
  upgrades: { 0: fromVersion0, 1: fromVersion1 },
  whenTooOld:
    'Move it away with its -wal and -shm files, and start again: the outcomes are built from the stream. Those that ' +
    'are older than what the stream holds are on the record alone.',
};
