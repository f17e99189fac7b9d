import { type NatsServer, startNatsServer } from '@placet/embedded';
import { connectNats, createLogger, ensureStreams, Resources } from '@placet/runtime';
import { type Load, startChild } from '../children.ts';
import { load, type Sample } from '../measure.ts';
import { type Usage, usageOf } from '../processes.ts';
import { makeWorkspace } from '../workspace.ts';
import { brokerVariable } from './chain.ts';

export type Measured = Sample & { perSecond: number };
export type Amounts = (callers: number) => number;

const logger = createLogger({ level: 'silent' });
const bodyBytes = 1000;
const streamBytesMax = 8 * 2 ** 30;

/** Runs with a broker of its own that has the streams of a deployment. */
async function withBroker<T>(
  options: { natsServer: string; syncAlways: boolean },
  run: (server: NatsServer) => Promise<T>,
): Promise<T> {
  const { dir, remove } = makeWorkspace();
  const resources = new Resources(logger);
  resources.add('directory', remove);
  try {
    const server = await startNatsServer({ binary: options.natsServer, dir, syncAlways: options.syncAlways });
    resources.add('nats-server', () => server.stop());
    const nats = await connectNats({ ...server, name: 'bench' }, logger, resources);
    await ensureStreams(nats, { maxBytes: streamBytesMax, maxAgeMs: 7 * 86_400_000, replicas: 1 });
    return await run(server);
  } finally {
    await resources.close();
  }
}

/** A publish to a plain stream, with none of our rules. */
export function barePublish(
  broker: { natsServer: string; syncAlways: boolean },
  inFlight: readonly number[],
  amount: Amounts,
): Promise<Map<number, Measured>> {
  return withBroker(broker, async (server) => {
    const resources = new Resources(logger);
    try {
      const { js, jsm } = await connectNats({ ...server, name: 'bench' }, logger, resources);
      await jsm.streams.add({ name: 'BENCH', subjects: ['bench.>'] });
      const body = 'x'.repeat(bodyBytes);
      let n = 0;
      const publish = async () => void (await js.publish(`bench.${n++}`, body));
      await load(64, amount(64) / 4, publish);
      const found = new Map<number, Measured>();
      for (const callers of inFlight) found.set(callers, await load(callers, amount(callers), publish));
      return found;
    } finally {
      await resources.close();
    }
  });
}

export async function bareRoute(
  generator: Load,
  callers: readonly number[],
  amount: Amounts,
): Promise<Map<number, Measured>> {
  const child = await startChild('limits/route.ts');
  try {
    return await measureRoute(generator, child.ready as string, callers, amount);
  } finally {
    await child.close();
  }
}

export type Chain = { times: Map<number, Measured>; cpuPerCheck: Record<string, number> };

/** The hops of a check and nothing else: two processes, one broker with the stream's own rules. */
export function bareChain(
  broker: { natsServer: string; syncAlways: boolean },
  generator: Load,
  callers: readonly number[],
  amount: Amounts,
): Promise<Chain> {
  return withBroker(broker, async (server) => {
    const { url, user, password } = server;
    const env = { [brokerVariable]: JSON.stringify({ url, user, password }) };
    const judge = await startChild('limits/chain-judge.ts', env);
    const front = await startChild('limits/chain-front.ts', env).catch(async (error: unknown) => {
      await judge.close();
      throw error;
    });
    const pids = { 'nats-server': server.pid, front: front.pid, judge: judge.pid, load: generator.pid };
    try {
      let before: Record<string, Usage> = {};
      const times = await measureRoute(generator, front.ready as string, callers, amount, () => {
        before = usageOf(pids);
      });
      const most = Math.max(...callers);
      return { times, cpuPerCheck: cpuSince(before, usageOf(pids), amount(most)) };
    } finally {
      await Promise.all([front.close(), judge.close()]);
    }
  });
}

/** From the fewest callers to the most, after a warm-up; `beforeMost` is called ahead of the last. */
async function measureRoute(
  generator: Load,
  url: string,
  callers: readonly number[],
  amount: Amounts,
  beforeMost: () => void = () => {},
): Promise<Map<number, Measured>> {
  const body = { action_name: 'read', payload: { amount: 12 } };
  const job = { kind: 'requests', url, path: '/', body, expected: '"decision":"allowed"' } as const;
  await generator.run({ ...job, callers: 64, total: amount(64) / 4 });
  const found = new Map<number, Measured>();
  for (const count of callers) {
    if (count === Math.max(...callers)) beforeMost();
    found.set(count, await generator.run({ ...job, callers: count, total: amount(count) }));
  }
  return found;
}

export function cpuSince(
  before: Record<string, Usage>,
  after: Record<string, Usage>,
  checks: number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([name, { cpuMs }]) => [name, (cpuMs - (before[name]?.cpuMs ?? 0)) / checks]),
  );
}
