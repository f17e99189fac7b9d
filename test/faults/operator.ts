import { eventStream } from '@placet/events';
import { sleep } from '@placet/runtime';
import type { Arrangement } from './arrangement.ts';
import { type Ask, createAsker } from './asking.ts';
import { isLost, type Note, statusOf } from './notes.ts';
import type { Random } from './random.ts';

const lookEveryMs = 2000;
const freeBytesMin = 6 * 2 ** 20;
const moreBytes = 12 * 2 ** 20;
const fillerChars = 200_000;
const fillWithinMs = 20_000;
const roomWithinMs = 60_000;
const megabyte = 2 ** 20;

/** How often the stream was full, and how often there was room again. */
export type FillReport = { filled: number; roomAgain: number };
export type Operator = { fill(forMs: number): Promise<void>; stop(): Promise<FillReport> };

/**
 * Makes room before the stream is full, as an operator does who watches it, with `npm run deploy:streams`. To fill it,
 * the operator looks away and agents log until they are refused.
 */
export function startOperator(
  { cluster, nats, agents, gateways }: Arrangement,
  notes: Note[],
  random: Random,
): Operator {
  const stopping = new AbortController();
  const [agent] = agents;
  if (!agent) throw new Error('nobody is there to fill the stream');
  const ask = createAsker(agent.name, agent.key, notes);
  const report: FillReport = { filled: 0, roomAgain: 0 };
  let isAway = false;
  let fillers = 0;

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (!isAway) await makeRoom(freeBytesMin);
      await sleep(lookEveryMs, stopping.signal);
    }
  }

  async function makeRoom(freeBytesWanted: number): Promise<boolean> {
    try {
      const { state, config } = await nats.jsm.streams.info(eventStream);
      if (config.max_bytes * 0.9 - state.bytes > freeBytesWanted) return true;
      const size = Math.ceil((state.bytes + moreBytes) / megabyte);
      await cluster.deployStreams({ PLACET_STREAM_SIZE: `${size}MB` });
      return true;
    } catch {
      // The broker is away: the operator tries again.
      return false;
    }
  }

  const log = (from: Ask) => {
    const payload = { filler: 'x'.repeat(fillerChars) };
    const body = { action_name: 'fill.stream', payload, idempotency_key: `filler-${++fillers}` };
    return from(random.pick(gateways), { method: 'POST', path: '/v1/actions/log', body }, { kind: 'log' });
  };
  const isRefused = ({ told }: Note) => !isLost(told) && told.body.error === 'STORE_FULL';

  async function within(timeMs: number, condition: () => Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + timeMs;
    while (Date.now() < deadline) {
      if (await condition()) return true;
      await sleep(20);
    }
    return false;
  }

  const running = watch();
  return {
    async fill(forMs) {
      isAway = true;
      try {
        const isFull = await within(fillWithinMs, async () => isRefused(await log(ask)));
        await sleep(forMs);
        await within(roomWithinMs, () => makeRoom(freeBytesMin));
        if (!isFull) return;
        report.filled += 1;
        if (await within(roomWithinMs, async () => statusOf(await log(ask)) === 201)) report.roomAgain += 1;
      } finally {
        isAway = false;
      }
    },
    async stop() {
      stopping.abort();
      await running;
      return report;
    },
  };
}
