import { Worker } from 'node:worker_threads';
import type { RecordsAnswer } from '@placet/events';
import type { BacktestResult, PolicyEntry } from '@placet/policy';
import { Unavailable } from '@placet/runtime';
import type * as z from 'zod';

export type AuditRecord = z.infer<typeof RecordsAnswer>['records'][number];
/** The policies as they are, and the one that stands in for one of them. */
export type JudgesPolicies = { entries: PolicyEntry[]; candidate: PolicyEntry; scope: string };
export type Page = AuditRecord[] | 'end';
export type Judged = { readable: number; first: string | null; last: string | null };

/** More than the largest policies need; what needs more ends, and the gateway goes on. */
const heapMbMax = 1024;

export type Judge = {
  /** One page at a time. */
  judge(records: AuditRecord[]): Promise<Judged>;
  result(): Promise<BacktestResult>;
  close(): Promise<void>;
};

/** Judges in a thread of its own: whatever a policy takes, agents are answered meanwhile. */
export function startJudge(policies: JudgesPolicies): Judge {
  const worker = new Worker(new URL('./judge-thread.ts', import.meta.url), {
    workerData: policies,
    resourceLimits: { maxOldGenerationSizeMb: heapMbMax },
  });
  let waiting = Promise.withResolvers<unknown>();
  let ended: Error | undefined;
  const end = (cause: unknown) => {
    ended = new Unavailable('the backtest ended before it was done', { cause });
    waiting.reject(ended);
  };
  worker.on('message', (answer) => waiting.resolve(answer));
  worker.once('error', end);
  worker.once('exit', end);

  function ask<T>(page: Page): Promise<T> {
    if (ended) return Promise.reject(ended);
    waiting = Promise.withResolvers();
    // Awaited by who asked, or by nobody when he went away.
    waiting.promise.catch(() => {});
    worker.postMessage(page);
    return waiting.promise as Promise<T>;
  }
  waiting.promise.catch(() => {});

  return {
    judge: (records) => ask<Judged>(records),
    result: () => ask<BacktestResult>('end'),
    async close() {
      await worker.terminate();
    },
  };
}
