import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Service, services } from '@placet/events';
import type { Load } from '../children.ts';
import { table } from '../measure.ts';
import { sender } from '../placet/measure-placet.ts';
import { openProjections } from '../placet/projections.ts';
import { type Running, shapes } from '../placet/shapes.ts';
import { makeWorkspace } from '../workspace.ts';

const checksFirst = 20_000;
const checksLast = 200_000;
const growthMax = 1.2;
const answerWithinMs = 10_000;

type Heaps = Record<Service, { heapMb: number; externalMb: number }>;

/** What each service still holds after a collection must not depend on how many checks there have been. */
export async function measureHeaps(
  natsServer: string,
  generator: Load,
  scale: number,
  say: (line: string) => void,
): Promise<{ text: string; missed: string[] }> {
  const { dir, remove } = makeWorkspace();
  const fileOf = (service: Service) => join(dir, `${service}.json`);
  const preload = pathToFileURL(join(import.meta.dirname, 'preload.ts')).href;
  const running = await shapes.five({
    natsServer,
    syncAlways: false,
    nodeArgs: () => ['--expose-gc', '--import', preload],
    env: (service) => ({ BENCH_HEAP_FILE: fileOf(service) }),
  });
  const projections = openProjections(running.dataDir);
  try {
    const send = sender(running, projections, generator);
    const counts = [checksFirst * scale, checksLast * scale] as const;
    say(`${counts[0]} checks …`);
    await send(64, counts[0]);
    const first = await heapsOf(running, fileOf);
    say(`${counts[1] - counts[0]} more …`);
    await send(64, counts[1] - counts[0]);
    const last = await heapsOf(running, fileOf);
    return compared(counts, first, last);
  } finally {
    projections.close();
    await running.close();
    remove();
  }
}

async function heapsOf({ pids }: Running, fileOf: (service: Service) => string): Promise<Heaps> {
  const found = await Promise.all(
    services.map(async (service) => {
      const { heapUsed, external } = await askHeap(pids[service] ?? 0, fileOf(service));
      return [service, { heapMb: heapUsed / 2 ** 20, externalMb: external / 2 ** 20 }] as const;
    }),
  );
  return Object.fromEntries(found) as Heaps;
}

async function askHeap(pid: number, file: string): Promise<NodeJS.MemoryUsage> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let waitedMs = 0; !existsSync(file); waitedMs += 20) {
    if (waitedMs > answerWithinMs) throw new Error(`the process ${pid} does not tell its memory`);
    await sleep(20);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage;
}

function compared(counts: readonly [number, number], first: Heaps, last: Heaps) {
  const names = ['MB', `heap after ${counts[0]}`, `after ${counts[1]}`, 'growth', 'external', 'after'];
  const growthOf = (service: Service) => last[service].heapMb / first[service].heapMb;
  const rows = services.map((service) => [
    service,
    first[service].heapMb,
    last[service].heapMb,
    `${((growthOf(service) - 1) * 100).toFixed(0)} %`,
    first[service].externalMb,
    last[service].externalMb,
  ]);
  const missed = services
    .filter((service) => growthOf(service) > growthMax)
    .map((service) => `the heap of ${service} grew by more than ${((growthMax - 1) * 100).toFixed(0)} %`);
  return { text: table(names, rows), missed };
}
