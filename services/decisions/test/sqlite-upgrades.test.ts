import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteOutcomeStore } from '../sqlite-store.ts';
import { idsOf, inOrder } from './deliveries.ts';
import { actionId, agent, at, decided, needed, reminded, requested } from './events.ts';

/** A file as an older version has left it. */
function fileOf(schema: string, fill: (old: DatabaseSync) => void): string {
  const dir = mkdtempSync(join(tmpdir(), 'placet-outcomes-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'decisions.sqlite');
  const old = new DatabaseSync(path);
  old.exec(schema);
  fill(old);
  old.close();
  return path;
}

/** Every table, with its columns, and every index of a file. */
function tablesOf(path: string): unknown[] {
  const file = new DatabaseSync(path, { readOnly: true });
  onTestFinished(() => file.close());
  return file
    .prepare(
      `SELECT s.type, s.name, group_concat(c.name ORDER BY c.name) AS columns
        FROM sqlite_schema s LEFT JOIN pragma_table_xinfo(s.name) c GROUP BY s.name ORDER BY s.name`,
    )
    .all();
}

async function freshFile(): Promise<string> {
  const path = fileOf('', () => {});
  await openSqliteOutcomeStore(path).close();
  return path;
}

const indexes = `
  CREATE INDEX held ON actions (needed_seq) WHERE needed_seq IS NOT NULL;
  CREATE INDEX open_deadline ON actions (deadline, needed_seq) WHERE decided_seq IS NULL AND needed_seq IS NOT NULL;
  CREATE INDEX unjudged ON actions (requested_at, requested_seq) WHERE decided_seq IS NULL AND needed_seq IS NULL;
  CREATE INDEX owed ON actions (owed_at, owed_seq) WHERE owed_seq IS NOT NULL;
`;

const schemaVersion0 = `
  CREATE TABLE actions (
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER, needed_seq INTEGER, deadline INTEGER,
    decided_seq INTEGER, blocked INTEGER NOT NULL DEFAULT 0,
    closed_seq INTEGER, owed_seq INTEGER, owed_at INTEGER,
    PRIMARY KEY (action_id, agent)
  ) STRICT;
  CREATE TABLE events (
    action_id TEXT NOT NULL, agent TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (action_id, agent, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audience (
    key TEXT NOT NULL, needed_seq INTEGER NOT NULL, action_id TEXT NOT NULL, agent TEXT NOT NULL,
    PRIMARY KEY (key, needed_seq, action_id, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ${indexes}
`;

test('a file of the first schema keeps its outcomes, its open approvals and its position', async () => {
  const [first, held] = [requested({ action: 1 }), requested({ action: 2 })];
  const [decision, asked] = [decided({ action: 1 }), needed({ action: 2 })];
  const position = { stream: 'the stream', seq: 4 };
  const path = fileOf(schemaVersion0, (old) => {
    const addAction = old.prepare(
      'INSERT INTO actions (action_id, agent, requested_seq, requested_at, decided_seq, needed_seq, deadline) VALUES (?, ?, ?, 1, ?, ?, ?)',
    );
    addAction.run(actionId(1), agent, 1, 3, null, null);
    addAction.run(actionId(2), agent, 2, null, 4, 1000);
    const addEvent = old.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
    for (const [seq, event] of [first, held, decision, asked].entries()) {
      addEvent.run(event.data.action_id, agent, seq + 1, JSON.stringify(event));
    }
    old.prepare('INSERT INTO audience VALUES (?, 4, ?, ?)').run('role:approver', actionId(2), agent);
    old.prepare("INSERT INTO meta VALUES ('position', ?)").run(JSON.stringify(position));
  });

  // Twice: the second time finds it brought over.
  for (let opened = 1; opened <= 2; opened++) {
    const store = openSqliteOutcomeStore(path);
    expect((await store.get(actionId(1)))?.events).toEqual([
      { seq: 1, event: first },
      { seq: 3, event: decision },
    ]);
    const list = await store.list({ status: 'pending', audience: ['role:approver'], limit: 10 });
    expect(idsOf(list.records)).toEqual([actionId(2)]);
    expect(await store.due(new Date(1000), new Date(0), 10)).toEqual([{ actionId: actionId(2), agent }]);
    expect(await store.position()).toEqual(position);
    await store.close();
  }
});

const schemaVersion1 = `
  CREATE TABLE actions (
    id INTEGER PRIMARY KEY,
    action_id TEXT NOT NULL, agent TEXT NOT NULL,
    requested_seq INTEGER, requested_at INTEGER, needed_seq INTEGER, deadline INTEGER,
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
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  ${indexes}
  PRAGMA user_version = 1;
`;

test('a file of the second schema keeps whom its approvals ask, and when the clock looks at them', async () => {
  const events = inOrder(
    requested({ action: 1, now: at(1) }),
    requested({ action: 2, now: at(2) }),
    requested({ action: 3, now: at(3) }),
    needed({ action: 1 }),
    needed({ action: 2 }),
    needed({ action: 4 }),
    decided({ action: 2 }),
  );
  const path = fileOf(schemaVersion1, (old) => {
    const addAction = old.prepare(
      'INSERT INTO actions (action_id, agent, requested_seq, requested_at, needed_seq, deadline, decided_seq) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    addAction.run(actionId(1), agent, 1, at(1).getTime(), 4, at(60).getTime(), null);
    addAction.run(actionId(2), agent, 2, at(2).getTime(), 5, at(60).getTime(), 7);
    addAction.run(actionId(3), agent, 3, at(3).getTime(), null, null, null);
    addAction.run(actionId(4), agent, null, null, 6, at(70).getTime(), null);
    const addEvent = old.prepare('INSERT INTO events (action, seq, body) VALUES (?, ?, ?)');
    for (const { seq, event } of events) {
      addEvent.run(Number.parseInt(event.subject.slice(-1), 16), seq, JSON.stringify(event));
    }
    const addKey = old.prepare('INSERT INTO audience (action, needed_seq, key) VALUES (?, ?, ?)');
    addKey.run(1, 4, 'role:approver');
    addKey.run(1, 4, 'user:ann@example.com');
    // Of a payload that is no longer the one.
    addKey.run(1, 2, 'role:nobody');
    addKey.run(2, 5, 'role:approver');
    addKey.run(4, 6, 'role:approver');
  });

  for (let opened = 1; opened <= 2; opened++) {
    const store = openSqliteOutcomeStore(path);
    const listed = async (key: string | null, status: 'pending' | 'all' = 'all') =>
      idsOf((await store.list({ status, audience: key === null ? null : [key], limit: 10 })).records);
    expect(await listed(null)).toEqual([2, 1].map(actionId));
    expect(await listed('role:approver')).toEqual([2, 1].map(actionId));
    expect(await listed('user:ann@example.com', 'pending')).toEqual([actionId(1)]);
    expect(await listed('role:nobody')).toEqual([]);
    expect(await store.count({ status: 'all', audience: null, agent }, 10)).toEqual({
      count: 2,
      oldest: at(1),
    });
    expect(idsOf(await store.due(at(60), at(3), 10))).toEqual([1, 3].map(actionId));
    expect(idsOf(await store.due(at(70), at(0), 10))).toEqual([1, 4].map(actionId));
    expect((await store.get(actionId(2)))?.events).toHaveLength(3);
    await store.close();
  }
  expect(tablesOf(path)).toEqual(tablesOf(await freshFile()));
  const store = openSqliteOutcomeStore(path);
  onTestFinished(() => store.close());
  const later = reminded({ action: 1, audience: ['role:late'], due: at(99) });
  await store.apply(
    [
      { seq: 9, event: later },
      { seq: 3, event: reminded({ action: 1 }) },
    ],
    { stream: 's', seq: 9 },
  );
  expect(idsOf((await store.list({ status: 'pending', audience: ['role:late'], limit: 9 })).records)).toEqual(
    [actionId(1)],
  );
  expect(await store.due(at(98), at(0), 10)).toEqual([{ actionId: actionId(4), agent }]);
});
