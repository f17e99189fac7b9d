import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { documents } from './documents.ts';

/** Writes the documents that come out of the code; with `--check` it only says which of them are not current. */
const root = join(import.meta.dirname, '..');
const onlyCheck = process.argv.includes('--check');

const stale = documents().filter(({ path, text }) => readText(join(root, path)) !== text);
for (const { path, text } of stale) {
  if (onlyCheck) {
    console.error(`${path} is not current: run "npm run generate"`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.error(`wrote ${path}`);
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
