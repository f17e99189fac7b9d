import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { releaseAfterEach, releaseAfterTest, temporaryDirectory } from '@placet/testing';
import { expect, test } from 'vitest';
import { UsersProblem } from '../explain.ts';
import { openStoreOf } from '../process-settings.ts';
import { openSqlite, type SqliteSchema } from '../sqlite.ts';

releaseAfterEach();

const schema: SqliteSchema = {
  version: 2,
  pragmas: [],
  tables: 'CREATE TABLE IF NOT EXISTS things (name TEXT, size INTEGER) STRICT;',
  upgrades: {
    1: (database) => {
      database.exec('ALTER TABLE things ADD COLUMN size INTEGER');
      return true;
    },
  },
  whenTooOld: 'Move it away.',
};

async function openThings(dataDir: string) {
  const store = await openStoreOf(
    'things',
    { dataDir },
    {
      mongo: () => Promise.reject(new Error('no MongoDB is meant here')),
      file: (path) => {
        const database = openSqlite(path, schema);
        return { database, close: async () => database.close() };
      },
    },
  );
  let closed = false;
  const close = async () => {
    if (!closed) await store.close();
    closed = true;
  };
  releaseAfterTest('store', close);
  return { ...store, close };
}

/** A process of its own that has the store open until it is killed. */
async function owner(dataDir: string): Promise<ChildProcess> {
  const script = `
    import { openStoreOf } from '@placet/runtime';
    const store = await openStoreOf('things', { dataDir: process.argv[1] }, { file: () => ({ close: async () => {} }) });
    console.log('open');
    setInterval(() => store, 60_000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dataDir], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  releaseAfterTest('owner', () => void child.kill('SIGKILL'));
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  expect(child.exitCode).toBeNull();
  return child;
}

test('a second process is refused the file of another, in words, until that one is dead', async () => {
  const dir = temporaryDirectory();
  const first = await owner(dir);
  const refused = openThings(dir);
  await expect(refused).rejects.toThrow(UsersProblem);
  await expect(refused).rejects.toThrow(`Another process uses ${join(dir, 'things.sqlite')}`);
  expect(existsSync(join(dir, 'things.sqlite'))).toBe(false);
  first.kill('SIGKILL');
  await once(first, 'exit');
  const { database } = await openThings(dir);
  expect(database.prepare('SELECT * FROM things').all()).toEqual([]);
});

test('who has closed it, or could not open it, leaves it to the next; a reader may look on', async () => {
  const dir = temporaryDirectory();
  const first = await openThings(dir);
  await expect(openThings(dir)).rejects.toThrow('Another process');
  const reader = new DatabaseSync(join(dir, 'things.sqlite'), { readOnly: true });
  expect(reader.prepare('SELECT * FROM things').all()).toEqual([]);
  reader.close();
  first.database.exec('PRAGMA user_version = 9');
  await first.close();
  await expect(openThings(dir)).rejects.toThrow('newer');
  await expect(openThings(dir)).rejects.toThrow('newer');
});

test('the files are for their owner only', async () => {
  const dir = temporaryDirectory();
  await openThings(dir);
  const modes = readdirSync(dir).map((file) => [file, statSync(join(dir, file)).mode & 0o777]);
  expect(modes.map(([file]) => file)).toContain('things.sqlite.mutex');
  expect(modes.filter(([, mode]) => mode !== 0o600)).toEqual([]);
});

function fileOf(version: number): string {
  const path = join(temporaryDirectory(), 'old.sqlite');
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE things (name TEXT) STRICT; INSERT INTO things VALUES ('kept');
    PRAGMA user_version = ${version}`);
  database.close();
  return path;
}

test('an older file is brought up to date, with what it holds', () => {
  const path = fileOf(1);
  for (const _ of ['first', 'again']) {
    const database = openSqlite(path, schema);
    expect(database.prepare('SELECT * FROM things').all()).toEqual([{ name: 'kept', size: null }]);
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
    database.close();
  }
});

test.each([
  [0, 'older Placet (schema 0, not 2). Move it away.'],
  [3, 'newer Placet (schema 3, not 2)'],
])('a file of version %d is refused, and left as it is', (version, message) => {
  const path = fileOf(version);
  expect(() => openSqlite(path, schema)).toThrow(UsersProblem);
  expect(() => openSqlite(path, schema)).toThrow(message);
  const database = new DatabaseSync(path);
  expect(database.prepare('SELECT * FROM things').all()).toEqual([{ name: 'kept' }]);
  expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: version });
  database.close();
});
