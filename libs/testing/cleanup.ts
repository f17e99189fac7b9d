import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';

type Release = () => void | Promise<void>;
const releases: { name: string; release: Release }[] = [];

/** Releases after the test, in reverse order, whatever became of it. */
export function releaseAfterTest(name: string, release: Release): void {
  releases.push({ name, release });
}

/** Call once in a test file: what its tests acquired is released after each, and a failed release fails the test. */
export function releaseAfterEach(): void {
  afterEach(releaseAll);
}

/** The same for a file whose tests share what was acquired before them. */
export function releaseAfterLast(): void {
  afterAll(releaseAll);
}

async function releaseAll(): Promise<void> {
  const failures: unknown[] = [];
  for (let next = releases.pop(); next; next = releases.pop()) {
    try {
      await next.release();
    } catch (error) {
      failures.push(new Error(`${next.name} was not released`, { cause: error }));
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'a test left something behind');
}

export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'placet-test-'));
  releaseAfterTest(dir, () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
