import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteOutcomeStore } from '../sqlite-store.ts';
import { actionId, agent, decided, needed, requested } from './events.ts';
import { openInDirectory } from './places.ts';
import { storeContract } from './store-contract.ts';

storeContract('SQLite', openInDirectory, { numRuns: 50 });

test('only its owner can read the file', async () => {
  const { path, drop } = await openInDirectory();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await drop();
});

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
  CREATE INDEX held ON actions (needed_seq) WHERE needed_seq IS NOT NULL;
  CREATE INDEX open_deadline ON actions (deadline, needed_seq) WHERE decided_seq IS NULL AND needed_seq IS NOT NULL;
  CREATE INDEX unjudged ON actions (requested_at, requested_seq) WHERE decided_seq IS NULL AND needed_seq IS NULL;
  CREATE INDEX owed ON actions (owed_at, owed_seq) WHERE owed_seq IS NOT NULL;
`;

test('a file of the first schema keeps its outcomes, its open approvals and its position', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'placet-outcomes-'));
  const path = join(dir, 'decisions.sqlite');
  const [first, held] = [requested({ action: 1 }), requested({ action: 2 })];
  const [decision, asked] = [decided({ action: 1 }), needed({ action: 2 })];
  const position = { stream: 'the stream', seq: 4 };
  const old = new DatabaseSync(path);
  old.exec(schemaVersion0);
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
  old.close();

  // Twice: the second time finds it brought over.
  for (let opened = 1; opened <= 2; opened++) {
    const store = openSqliteOutcomeStore(path);
    expect((await store.get(actionId(1)))?.events).toEqual([
      { seq: 1, event: first },
      { seq: 3, event: decision },
    ]);
    const list = await store.list({ status: 'pending', audience: ['role:approver'], limit: 10 });
    expect(list.records.map(({ actionId }) => actionId)).toEqual([actionId(2)]);
    expect(await store.due(new Date(1000), new Date(0), 10)).toEqual([{ actionId: actionId(2), agent }]);
    expect(await store.position()).toEqual(position);
    await store.close();
  }
  rmSync(dir, { recursive: true });
});
