import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { sqlitePlace } from './places.ts';
import { event } from './records.ts';

async function emptyPlace() {
  const place = await sqlitePlace();
  onTestFinished(place.remove);
  await (await place.open()).close();
  return place;
}

function databaseAt(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  onTestFinished(() => database.close());
  return database;
}

test('the files are for their owner only', async () => {
  const place = await emptyPlace();
  const store = await place.open();
  onTestFinished(() => store.close());
  await store.append([event(1)], 0);
  const folder = dirname(place.path);
  const files = (await readdir(folder)).toSorted();
  expect(files).toEqual(['audit.sqlite', 'audit.sqlite-shm', 'audit.sqlite-wal']);
  const modes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).mode & 0o777));
  expect(modes).toEqual([0o600, 0o600, 0o600]);
});

test('head and every filter read by index', async () => {
  const database = databaseAt((await emptyPlace()).path);
  const plan = (sql: string) => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all());
  expect(plan("SELECT max(seq) FROM records WHERE stream = 'PLACET'")).toContain('SEARCH');
  for (const field of ['agent', 'action', '"case"', 'type']) {
    const page = plan(`SELECT * FROM records WHERE ${field} = 'x' AND "index" > 5 ORDER BY "index" LIMIT 5`);
    expect(page).toContain('USING INDEX');
    expect(page).not.toContain('TEMP B-TREE');
  }
  const flawed = plan(
    'SELECT * FROM records WHERE "index" > 5 AND flaw IS NOT NULL ORDER BY "index" LIMIT 5',
  );
  expect(flawed).toContain('records_flaw');
});

test('a file of a newer version is refused', async () => {
  const place = await emptyPlace();
  databaseAt(place.path).exec('PRAGMA user_version = 99');
  await expect(place.open()).rejects.toThrow('newer');
});

test('a file from before seals and flaws were kept is brought up to date, and goes on', async () => {
  const place = await emptyPlace();
  const older = databaseAt(place.path);
  older.exec(`
    DROP INDEX records_flaw;
    ALTER TABLE records DROP COLUMN seal;
    ALTER TABLE records DROP COLUMN flaw;
    PRAGMA user_version = 1;
  `);
  const { index: _, ...first } = { index: 0, ...event(1) };
  const { seal: __, flaw: ___, ...row } = first;
  const names = Object.keys(row).map((name) => `"${name}"`);
  const marks = names.map(() => '?').join(', ');
  older
    .prepare(`INSERT INTO records ("index", ${names.join(', ')}) VALUES (0, ${marks})`)
    .run(...Object.values(row));

  const store = await place.open();
  onTestFinished(() => store.close());
  expect(await store.append([event(1), { ...event(2), flaw: 'no_seal' }], 1)).toEqual({
    outcome: 'stored',
    size: 2,
  });
  expect((await store.query({ limit: 9 })).records).toEqual([
    { index: 0, ...event(1), seal: null },
    { index: 1, ...event(2), flaw: 'no_seal' },
  ]);
  expect((await store.query({ limit: 9, flawed: true })).records).toHaveLength(1);
});
