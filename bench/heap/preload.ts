import { renameSync, writeFileSync } from 'node:fs';

/** Loaded into a service before anything else: on SIGUSR2 it collects, and writes what is in use then into a file. */
const file = process.env['BENCH_HEAP_FILE'] ?? '';

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  writeFileSync(`${file}.part`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.part`, file);
});
