import type { Broker, ServiceProcess } from '@placet/cluster';
import { type Nats, sleep } from '@placet/runtime';
import type { Arrangement } from './arrangement.ts';
import type { Operator } from './operator.ts';
import type { Fault } from './plan.ts';
import type { Supervisor } from './processes.ts';

/** A fault as it went. */
export type Injected = Fault & { beganAt: number; endedAt: number };

const inStepWithinMs = 30_000;
const lookEveryMs = 200;

/**
 * Does what the plan says, at its time or, where its target has not recovered from the one before, as soon as that is
 * over, if there is time left. Brokers are one target: never are two of them away.
 */
export async function injectAll(
  arrangement: Arrangement,
  faults: readonly Fault[],
  durationMs: number,
  { supervisor, operator, say }: { supervisor: Supervisor; operator: Operator; say: (line: string) => void },
): Promise<Injected[]> {
  const { cluster, mongo, nats } = arrangement;
  const begin = Date.now();
  const lanes = new Map<string, Promise<void>>();
  const injected: Injected[] = [];
  const brokerNames = cluster.brokers.map(({ name }) => name);

  for (const fault of faults) {
    await sleep(Math.max(0, begin + fault.atMs - Date.now()));
    const lane = brokerNames.includes(fault.target) ? 'brokers' : fault.target;
    const before = lanes.get(lane) ?? Promise.resolve();
    lanes.set(
      lane,
      before.then(() => one(fault)),
    );
  }
  await Promise.all(lanes.values());
  return injected;

  async function one(fault: Fault): Promise<void> {
    const beganAt = Date.now();
    if (beganAt > begin + durationMs) return;
    say(`${fault.target}: ${fault.kind}`);
    await carryOut(fault);
    injected.push({ ...fault, beganAt, endedAt: Date.now() });
    say(`${fault.target}: well again after ${Date.now() - beganAt} ms`);
  }

  async function carryOut(fault: Fault): Promise<void> {
    const { family, kind, target, forMs } = fault;
    switch (family) {
      case 'service': {
        const service = found(cluster.services, target);
        await supervisor.during(service, () => harmService(service, fault));
        return;
      }
      case 'broker':
        await harmBroker(found(cluster.brokers, target), fault);
        await inStep(nats, cluster.brokers.length);
        return;
      case 'mongodb':
        await mongo?.become(kind as 'down' | 'slow' | 'full');
        await sleep(forMs);
        await mongo?.become('well');
        return;
      case 'stream':
        await operator.fill(forMs);
        return;
      default:
        return family satisfies never;
    }
  }

  async function harmService(service: ServiceProcess, { kind, forMs }: Fault): Promise<void> {
    if (kind === 'stopped') {
      service.kill('SIGSTOP');
      await sleep(forMs);
      service.kill('SIGCONT');
    } else {
      await service.end(kind === 'restart' ? 'SIGTERM' : 'SIGKILL');
      await sleep(forMs);
    }
    await supervisor.bringUp(service);
  }
}

async function harmBroker(broker: Broker, { kind, forMs }: Fault): Promise<void> {
  if (kind === 'stopped') {
    broker.kill('SIGSTOP');
    await sleep(forMs);
    broker.kill('SIGCONT');
    return;
  }
  await broker.end(kind === 'restart' ? 'SIGTERM' : 'SIGKILL');
  await sleep(forMs);
  await broker.start();
}

function found<T extends { name: string }>(all: readonly T[], name: string): T {
  const one = all.find((candidate) => candidate.name === name);
  if (!one) throw new Error(`there is no ${name} here`);
  return one;
}

/** Every node holds again what the others hold, of every stream: only then may the next one be taken away. */
async function inStep({ jsm }: Nats, nodes: number): Promise<void> {
  const deadline = Date.now() + inStepWithinMs;
  while (Date.now() < deadline) {
    try {
      const streams = await jsm.streams.list().next();
      const isCurrent = streams.every(({ cluster }) => {
        const followers = cluster?.replicas ?? [];
        const behind = followers.some(({ current, offline }) => !current || offline);
        return nodes === 1 || (cluster?.leader !== undefined && followers.length === nodes - 1 && !behind);
      });
      if (isCurrent) return;
    } catch {
      // Nobody leads yet.
    }
    await sleep(lookEveryMs);
  }
}
