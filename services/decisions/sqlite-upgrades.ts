import type { DatabaseSync } from 'node:sqlite';

/** Who finds an action that was held and whose request is known, in the order of the requests. `*` is everybody. */
export const audienceTable = `
  CREATE TABLE IF NOT EXISTS audience (
    key TEXT NOT NULL, open INTEGER NOT NULL, requested_seq INTEGER NOT NULL, action INTEGER NOT NULL,
    agent TEXT NOT NULL, requested_at INTEGER NOT NULL,
    PRIMARY KEY (key, open, requested_seq, action)
  ) STRICT, WITHOUT ROWID;
`;

const tablesOfVersion1 = `
  CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER,
    needed_seq INTEGER, deadline INTEGER,
    decided_seq INTEGER, blocked INTEGER NOT NULL DEFAULT 0,
    closed_seq INTEGER, owed_seq INTEGER, owed_at INTEGER,
    UNIQUE (action_id, agent)
  ) STRICT;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY, action INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    UNIQUE (action, seq)
  ) STRICT;
  CREATE TABLE audience (
    key TEXT NOT NULL, needed_seq INTEGER NOT NULL, action INTEGER NOT NULL,
    PRIMARY KEY (key, needed_seq, action)
  ) STRICT, WITHOUT ROWID;
`;

const columnsOfVersion1 = `action_id, agent, requested_seq, requested_at, needed_seq, deadline, decided_seq, blocked,
  closed_seq, owed_seq, owed_at`;

/** Version 0 had each event and each key of the audience under the action's own id. */
export function fromVersion0(database: DatabaseSync): boolean {
  const key = database
    .prepare("SELECT name FROM pragma_table_info('actions') WHERE pk > 0 ORDER BY pk")
    .all();
  // Before that an action was not told apart by its agent.
  if (key.map(({ name }) => name).join() !== 'action_id,agent') return false;
  database.exec(`
    DROP INDEX held; DROP INDEX open_deadline; DROP INDEX unjudged; DROP INDEX owed;
    ALTER TABLE actions RENAME TO actions_0;
    ALTER TABLE events RENAME TO events_0;
    ALTER TABLE audience RENAME TO audience_0;
    ${tablesOfVersion1}
    INSERT INTO actions (${columnsOfVersion1}) SELECT ${columnsOfVersion1} FROM actions_0 ORDER BY rowid;
    INSERT OR IGNORE INTO actions (action_id, agent) SELECT action_id, agent FROM events_0;
    INSERT INTO events (action, seq, body)
      SELECT a.id, e.seq, e.body FROM events_0 e JOIN actions a USING (action_id, agent) ORDER BY e.seq;
    INSERT INTO audience (key, needed_seq, action)
      SELECT k.key, k.needed_seq, a.id FROM audience_0 k JOIN actions a USING (action_id, agent);
    DROP TABLE actions_0; DROP TABLE events_0; DROP TABLE audience_0;
  `);
  return true;
}

/** Version 1 knew whom the last `approval.needed` asked, and listed by when it came. */
export function fromVersion1(database: DatabaseSync): boolean {
  database.exec(`
    DROP INDEX IF EXISTS held; DROP INDEX IF EXISTS open_deadline;
    ALTER TABLE actions RENAME COLUMN deadline TO due;
    ALTER TABLE actions ADD COLUMN asked_seq INTEGER;
    ALTER TABLE actions ADD COLUMN audience TEXT;
    ALTER TABLE actions ADD COLUMN case_name TEXT;
    ALTER TABLE actions ADD COLUMN case_seq INTEGER;
    ALTER TABLE audience RENAME TO audience_1;
    UPDATE actions SET asked_seq = needed_seq, audience = '["*"]' WHERE needed_seq IS NOT NULL;
    UPDATE actions SET audience = asked.keys
      FROM (
        SELECT action, needed_seq, json_insert(json_group_array(key), '$[#]', '*') AS keys
          FROM audience_1 GROUP BY action, needed_seq
      ) AS asked
      WHERE asked.action = actions.id AND asked.needed_seq = actions.needed_seq;
    DROP TABLE audience_1;
    ${audienceTable}
    INSERT INTO audience (key, open, requested_seq, action, agent, requested_at)
      SELECT k.value, a.decided_seq IS NULL, a.requested_seq, a.id, a.agent, a.requested_at
        FROM actions a, json_each(a.audience) k
        WHERE a.needed_seq IS NOT NULL AND a.requested_seq IS NOT NULL;
  `);
  return true;
}
