import type { Load } from '../children.ts';
import { type Amounts, cpuSince, type Measured } from '../limits/limits.ts';
import { usageOf } from '../processes.ts';
import { openProjections, type Projections } from './projections.ts';
import { type Running, type Shape, type ShapeOptions, shapes } from './shapes.ts';

export type PlacetResult = {
  checks: Map<number, Measured>;
  /** At the most callers, from the load's beginning until the record and the outcomes had caught up. */
  cpuPerCheck: Record<string, number>;
  /** Records a second of the whole time, and how long after the load's end the last one was there. */
  recordsPerSecond: number;
  recordMs: number;
  outcomesMs: number;
  votes: Measured;
  residentMb: Record<string, number>;
  startMs: number;
};

/** An automatic check leaves a request and a decision. */
const eventsPerCheck = 2;

export async function measurePlacet(
  shape: Shape,
  options: ShapeOptions,
  generator: Load,
  callers: readonly number[],
  amount: Amounts,
): Promise<PlacetResult> {
  const running = await shapes[shape](options);
  const projections = openProjections(running.dataDir);
  const pids = { ...running.pids, load: generator.pid };
  try {
    const send = sender(running, projections, generator);
    await send(64, amount(64) / 4);
    const most = Math.max(...callers);
    const checks = new Map<number, Measured>();
    let atMost: Omit<PlacetResult, 'checks' | 'votes' | 'residentMb' | 'startMs'> | undefined;
    for (const count of callers) {
      const before = usageOf(pids);
      const { sample, ...behind } = await send(count, amount(count));
      checks.set(count, sample);
      if (count === most) atMost = { ...behind, cpuPerCheck: cpuSince(before, usageOf(pids), amount(count)) };
    }
    if (!atMost) throw new Error('there were no callers');
    const memory = Object.entries(usageOf(running.pids)).map(([name, { residentMb }]) => [name, residentMb]);
    const { url, agentKey, personToken, startMs } = running;
    const votes = await generator.run({ kind: 'votes', url, agentKey, personToken, total: amount(1) / 4 });
    return { checks, ...atMost, votes, residentMb: Object.fromEntries(memory), startMs };
  } finally {
    projections.close();
    await running.close();
  }
}

/** Sends checks, and waits until the record and the outcomes have them all: the next ones find everybody at rest. */
export function sender({ url, agentKey }: Running, projections: Projections, generator: Load) {
  const job = {
    kind: 'requests',
    url,
    path: '/v1/check',
    credential: agentKey,
    body: { action_name: 'read', payload: { amount: 12 } },
    expected: '"decision":"allowed"',
  } as const;
  return async (callers: number, total: number) => {
    const [records, seq] = [projections.recorded(), projections.outcomesAt()];
    const begun = performance.now();
    const sample = await generator.run({ ...job, callers, total });
    const behind = await projections.reach(records + total * eventsPerCheck, seq + total * eventsPerCheck);
    const wholeMs = performance.now() - begun - Math.max(0, behind.outcomesMs - behind.recordMs);
    return { sample, ...behind, recordsPerSecond: (total * eventsPerCheck * 1000) / wholeMs };
  };
}
