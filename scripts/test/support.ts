import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach } from 'vitest';

const DEADLINE_MS = 20_000;
const releases: (() => void | Promise<void>)[] = [];

/** What a test acquires it hands in here; it is released after the test, last in first out. */
export function releaseLater(release: () => void | Promise<void>): void {
  releases.push(release);
}

/** Call once in a test file: hooks of a file that several share would be those of the first alone. */
export function releaseAfterEach(): void {
  afterEach(async () => {
    for (let release = releases.pop(); release; release = releases.pop()) await release();
  });
}

export function temporaryDirectory(): string {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'placet-setup-test-'));
  releaseLater(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`waited too long for: ${what}`);
    await delay(10);
  }
}

/** A program called nats-server that says it is this version, in a directory of its own. */
export function fakeNatsServer(version: string): string {
  const file = path.join(temporaryDirectory(), 'nats-server');
  writeFakeNatsServer(file, version);
  return file;
}

export function writeFakeNatsServer(file: string, version: string): void {
  writeFileSync(file, `#!/bin/sh\necho "nats-server: v${version}"\n`, { mode: 0o755 });
}
