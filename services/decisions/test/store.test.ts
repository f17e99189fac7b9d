import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openInDirectory } from './places.ts';
import { storeContract } from './store-contract.ts';

storeContract('SQLite', openInDirectory, { numRuns: 50 });

test('only its owner can read the file', async () => {
  const { path, drop } = await openInDirectory();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await drop();
});
