import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { startVitest } from 'vitest/node';

/**
 * `npm test` checks the types and the style, then runs the tests. `npm test -- FILE…` runs some tests alone.
 * The last line says how many passed, failed and were skipped.
 */
const root = join(import.meta.dirname, '..');
const filters = process.argv.slice(2);
const count = { passed: 0, failed: 0, skipped: 0 };

function check(name: string, script: string, args: string[]): void {
  console.error(`${name} …`);
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status === 0) count.passed += 1;
  else count.failed += 1;
}

if (filters.length === 0) {
  check('types', 'typescript/bin/tsc', ['--noEmit', '-p', '.']);
  check('style', '@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']);
}

const vitest = await startVitest('test', filters, { root, watch: false });
for (const file of vitest.state.getTestModules()) {
  for (const test of file.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') count.passed += 1;
    else if (state === 'failed') count.failed += 1;
    else count.skipped += 1;
  }
  // A file that could not even be read has failed without a test of its own.
  if (file.state() === 'failed' && [...file.children.allTests('failed')].length === 0) count.failed += 1;
}
count.failed += vitest.state.getUnhandledErrors().length;
await vitest.close();

process.exitCode = count.failed > 0 || count.passed === 0 ? 1 : 0;
process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
