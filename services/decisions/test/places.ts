import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase } from '@placet/cluster/mongodb.ts';
import { openMongoOutcomeStore } from '../mongo-store.ts';
import { openSqliteOutcomeStore } from '../sqlite-store.ts';

export async function openInDirectory() {
  const dir = mkdtempSync(join(tmpdir(), 'placet-outcomes-'));
  const path = join(dir, 'decisions.sqlite');
  let store = openSqliteOutcomeStore(path);
  return {
    path,
    store,
    async reopen() {
      await store.close();
      store = openSqliteOutcomeStore(path);
      return store;
    },
    async drop() {
      await store.close();
      rmSync(dir, { recursive: true });
    },
  };
}

export async function openInDatabase(server: string) {
  const { url, database, drop } = freshDatabase(server);
  let store = await openMongoOutcomeStore({ url, database });
  return {
    place: { url, database },
    store,
    async reopen() {
      await store.close();
      store = await openMongoOutcomeStore({ url, database });
      return store;
    },
    async drop() {
      await store.close();
      await drop();
    },
  };
}
