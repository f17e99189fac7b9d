import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteOutcomeStore } from '../sqlite-store.ts';

/** A file of the outcomes, as somebody else has left it. */
async function fileWith(change: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'placet-outcomes-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'decisions.sqlite');
  const store = openSqliteOutcomeStore(path);
  await store.apply([], { stream: 'PLACET', seq: 7 });
  await store.close();
  const database = new DatabaseSync(path);
  database.exec(change);
  database.close();
  return path;
}

test.each([
  [
    'an older',
    'PRAGMA user_version = 0; DROP TABLE actions; CREATE TABLE actions (action_id TEXT PRIMARY KEY) STRICT',
  ],
  ['a newer', 'PRAGMA user_version = 99'],
])('a file of %s Placet is refused, and says so', async (which, change) => {
  const path = await fileWith(change);
  expect(() => openSqliteOutcomeStore(path)).toThrow(`${path} was written by ${which} Placet`);
});
