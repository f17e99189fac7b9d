import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Job, JobResult } from './load/jobs.ts';

/** A process of the bench itself; its first message says that it is ready, and with what. */
export type Child = { pid: number; ready: unknown; process: ChildProcess; close(): Promise<void> };

export async function startChild(file: string, env: Record<string, string> = {}): Promise<Child> {
  const child = fork(join(import.meta.dirname, file), { env: { ...process.env, ...env } });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await nextMessage(child, file);
  return {
    pid: child.pid as number,
    ready,
    process: child,
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function nextMessage(child: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`${name} ended before it answered`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}

export type Load = { pid: number; run(job: Job): Promise<JobResult>; close(): Promise<void> };

export async function startLoad(): Promise<Load> {
  const child = await startChild('load/main.ts');
  return {
    pid: child.pid,
    close: child.close,
    async run(job) {
      child.process.send(job);
      const answer = (await nextMessage(child.process, 'the load generator')) as {
        result?: JobResult;
        problem?: string;
      };
      if (answer.result) return answer.result;
      throw new Error(answer.problem);
    },
  };
}
