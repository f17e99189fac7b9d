import type { ServiceProcess } from '@placet/cluster';
import { sleep } from '@placet/runtime';

const upWithinMs = 180_000;
const answerWithinMs = 5000;
const lookEveryMs = 100;
const superviseEveryMs = 500;

/** What went wrong with the processes themselves. */
export type ProcessProblems = {
  /** Ended without being asked to, after it had once answered. */
  endedByThemselves: string[];
  /** Ended while they started; a supervisor starts them again. */
  failedStarts: number;
};

/** Starts services again as a container engine does that was told `restart: unless-stopped`. */
export function createSupervisor(services: readonly ServiceProcess[]) {
  const answered = new Map(services.map((service) => [service, new Set<number>()]));
  const seen = new Map(services.map((service) => [service, 0]));
  const busy = new Set<ServiceProcess>();
  const problems: ProcessProblems = { endedByThemselves: [], failedStarts: 0 };
  const stopping = new AbortController();
  for (const service of services) noteAnswer(service);

  function noteAnswer(service: ServiceProcess): void {
    const pid = service.pid();
    if (pid !== undefined) answered.get(service)?.add(pid);
  }

  function noteEnds(service: ServiceProcess): void {
    for (const { pid, code, signal, isAsked } of service.ends.slice(seen.get(service))) {
      if (isAsked) continue;
      if (answered.get(service)?.has(pid ?? 0)) {
        problems.endedByThemselves.push(`${service.name} ended (${signal ?? `exit code ${code}`})`);
      } else problems.failedStarts += 1;
    }
    seen.set(service, service.ends.length);
  }

  /** Until it answers, however often it has to be started. One that never does is found not to be ready in the end. */
  async function bringUp(service: ServiceProcess): Promise<void> {
    const deadline = Date.now() + upWithinMs;
    while (Date.now() < deadline) {
      noteEnds(service);
      service.launch();
      if (await isAnswering(service.url)) return noteAnswer(service);
      await sleep(lookEveryMs);
    }
  }

  async function supervise(): Promise<void> {
    while (!stopping.signal.aborted) {
      for (const service of services) {
        if (busy.has(service) || service.isRunning()) continue;
        void during(service, () => bringUp(service));
      }
      await sleep(superviseEveryMs, stopping.signal);
    }
  }

  /** Whoever does something to a process on purpose keeps the supervisor off it. */
  async function during(service: ServiceProcess, work: () => Promise<void>): Promise<void> {
    busy.add(service);
    try {
      await work();
    } finally {
      busy.delete(service);
    }
  }

  const running = supervise();
  return {
    during,
    bringUp,
    async stop(): Promise<ProcessProblems> {
      stopping.abort();
      await running;
      for (const service of services) noteEnds(service);
      return problems;
    },
  };
}

export type Supervisor = ReturnType<typeof createSupervisor>;

export async function isAnswering(url: string, path = '/health'): Promise<boolean> {
  try {
    const { status } = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(answerWithinMs) });
    return status === 200;
  } catch {
    return false;
  }
}
