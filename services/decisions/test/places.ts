import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
