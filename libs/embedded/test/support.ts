import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { releaseAfterTest } from '@placet/testing';

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
  releaseAfterTest(name, async () => {
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

export function modeOf(file: string): string {
  return (statSync(file).mode & 0o777).toString(8);
}
