import type { SqliteSchema } from '@placet/runtime';

/**
 * Whoever reached the broker can put a message under another agent's name: that is another action. And a stream that
 * was made anew has the same sequences once more.
 *
 * Ids of actions are random. Of all that is written for an action only one index is in their order; the rest is in the
 * order of the actions' coming, so that what is stored together lies together. Each page that a commit touches costs
 * more than the rows in it.
 *
 * What a power cut takes of a write-ahead log takes the position with it, and is read from the stream again.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY,
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER,
    needed_seq INTEGER, deadline INTEGER,
    decided_seq INTEGER, blocked INTEGER NOT NULL DEFAULT 0,
    closed_seq INTEGER, owed_seq INTEGER, owed_at INTEGER,
    UNIQUE (action_id, agent)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, action INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (action, seq)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS audience (
    key TEXT NOT NULL, needed_seq INTEGER NOT NULL, action INTEGER NOT NULL,
    PRIMARY KEY (key, needed_seq, action)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS held ON actions (needed_seq) WHERE needed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS open_deadline ON actions (deadline, needed_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NOT NULL;
  CREATE INDEX IF NOT EXISTS unjudged ON actions (requested_at, requested_seq)
    WHERE decided_seq IS NULL AND needed_seq IS NULL;
  CREATE INDEX IF NOT EXISTS owed ON actions (owed_at, owed_seq) WHERE owed_seq IS NOT NULL;
`;

const actionColumns = `action_id, agent, requested_seq, requested_at, needed_seq, deadline, decided_seq, blocked,
  closed_seq, owed_seq, owed_at`;

/** Version 0 had each event and each key of the audience under the action's own id. */
const fromVersion0 = `
  DROP INDEX held; DROP INDEX open_deadline; DROP INDEX unjudged; DROP INDEX owed;
  ALTER TABLE actions RENAME TO actions_0;
  ALTER TABLE events RENAME TO events_0;
  ALTER TABLE audience RENAME TO audience_0;
  ${tables}
  INSERT INTO actions (${actionColumns}) SELECT ${actionColumns} FROM actions_0 ORDER BY rowid;
  INSERT OR IGNORE INTO actions (action_id, agent) SELECT action_id, agent FROM events_0;
  INSERT INTO events (action, seq, body)
    SELECT a.id, e.seq, e.body FROM events_0 e JOIN actions a USING (action_id, agent) ORDER BY e.seq;
  INSERT INTO audience (key, needed_seq, action)
    SELECT k.key, k.needed_seq, a.id FROM audience_0 k JOIN actions a USING (action_id, agent);
  DROP TABLE actions_0; DROP TABLE events_0; DROP TABLE audience_0;
`;

export const outcomeSchema: SqliteSchema = {
  version: 1,
  pragmas: [
    'synchronous = NORMAL',
    // Written back after 16 MB instead of 4, each page once for more of what it holds.
    'wal_autocheckpoint = 4000',
    'cache_size = -32768',
  ],
  tables,
  upgrades: {
    0: (database) => {
      const key = database
        .prepare("SELECT name FROM pragma_table_info('actions') WHERE pk > 0 ORDER BY pk")
        .all();
      // Before that an action was not told apart by its agent.
      if (key.map(({ name }) => name).join() !== 'action_id,agent') return false;
      database.exec(fromVersion0);
      return true;
    },
  },
  whenTooOld:
    'Move it away with its -wal and -shm files, and start again: the outcomes are built from the stream. Those that ' +
    'are older than what the stream holds are on the record alone.',
};
