import { parentPort, workerData } from 'node:worker_threads';
import { createBacktest, createLayers, type PastRequest } from '@placet/policy';
import type { AuditRecord, Judged, JudgesPolicies, Page } from './judge.ts';
import { readRequest } from './past-requests.ts';

const { entries, candidate, scope } = workerData as JudgesPolicies;
const inForce = createLayers(entries);
const backtest = createBacktest(inForce, inForce.with(candidate), scope);

function judge(records: AuditRecord[]): Judged {
  const past = records.map(readRequest).filter((request) => request !== null);
  for (const request of past) backtest.add(request);
  return { readable: past.length, first: timeOf(past[0]), last: timeOf(past.at(-1)) };
}

const timeOf = (request: PastRequest | undefined) => request?.facts.now.toISOString() ?? null;

parentPort?.on('message', (page: Page) => {
  parentPort?.postMessage(page === 'end' ? backtest.result() : judge(page));
});
