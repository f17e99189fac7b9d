import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
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
  const dir = mkdtempSync(path.join(os.tmpdir(), 'placet-test-'));
  releaseLater(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function natsServerBinary(): string {
  const binary = process.env['NATS_SERVER'];
  if (!binary)
    throw new Error('NATS_SERVER is not set: run the tests by `npm test`, or name a nats-server yourself');
  return binary;
}

/** Runs a file of `fixtures/` in a process of its own; a test that fails does not leave it behind. */
export function runFixture(name: string, ...args: string[]): ChildProcess {
  const file = path.join(import.meta.dirname, 'fixtures', name);
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  releaseLater(async () => {
    child.kill('SIGKILL');
    await ended(child);
  });
  return child;
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** The next line that the process prints. */
export function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const fail = () => reject(new Error(`the process ended after printing "${text}"`));
    const read = (chunk: Buffer) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end < 0) return;
      child.stdout?.off('data', read);
      child.off('close', fail);
      resolve(text.slice(0, end));
    };
    child.stdout?.on('data', read);
    child.once('close', fail);
  });
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

export function modeOf(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}
