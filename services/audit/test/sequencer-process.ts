import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export type Where = { sqlite: string } | { mongo: { url: string; database: string } };

/** A process of its own that records events 1, 2, 3, … until it is killed. */
export type Sequencer = { running: Promise<void>; kill(): Promise<void> };

export function startSequencer(where: Where): Sequencer {
  const script = `${import.meta.dirname}/sequencer.ts`;
  const child = spawn(process.execPath, [script, JSON.stringify(where)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  return { running: firstLine(child), kill: () => kill(child, ended) };
}

async function firstLine(child: ChildProcess): Promise<void> {
  if (child.stdout === null) throw new Error('no output to wait for');
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the sequencer ended by itself'))),
  ]);
}

async function kill(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await ended;
  if (child.exitCode !== null) throw new Error(`the sequencer ended by itself (exit code ${child.exitCode})`);
}
