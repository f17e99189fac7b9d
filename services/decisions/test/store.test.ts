import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteOutcomeStore } from '../sqlite-store.ts';
import { storeContract } from './store-contract.ts';

async function openInDirectory() {
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

storeContract('SQLite', openInDirectory);

test('only its owner can read the file', async () => {
  const { path, drop } = await openInDirectory();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await drop();
});
