import { atOnceMax, clocksDifferMs, type Place, type Served } from './pace.ts';

/** An approval of which so many messages wait at a place. */
export type Waiting = { key: string; agent: string; deadline: number; count: number };

/** What is sent next in one go. */
export type Next = { one: Waiting; count: number };

type Where = { place: Place; served: Served; now: number };

/**
 * One after the other from each agent, and first from whom it is the longest ago: however much one agent has people asked,
 * the others wait for one message of it each time. Of one agent that is first which ends first.
 */
export function* inOrder(waiting: readonly Waiting[], { place, served, now }: Where): Generator<Next> {
  const servedAt = (agent: string) => {
    const at = served[agent] ?? 0;
    return at > now + clocksDifferMs ? 0 : at;
  };
  let queues = [...Map.groupBy(waiting, ({ agent }) => agent)]
    .toSorted(([a], [b]) => servedAt(a) - servedAt(b))
    .map(([, of]) => of.toSorted((a, b) => a.deadline - b.deadline).map((one) => ({ one, left: one.count })));
  while (queues.length > 0) {
    for (const queue of queues) {
      const [first] = queue;
      if (!first) continue;
      const count = Math.min(first.left, atOnceMax(place));
      first.left -= count;
      if (first.left === 0) queue.shift();
      yield { one: first.one, count };
    }
    queues = queues.filter(({ length }) => length > 0);
  }
}

/** Of which approvals how many messages come too late, as it looks now: whoever is told after the deadline is told never. */
export function lateOnes(
  waiting: readonly Waiting[],
  { freeAt, ...where }: Where & { freeAt: number },
): Map<string, number> {
  const late = new Map<string, number>();
  const { everyMs } = where.place;
  let at = Math.max(freeAt, where.now);
  const all = waiting.reduce((sum, { count }) => sum + count, 0);
  const soonest = Math.min(...waiting.map(({ deadline }) => deadline));
  if (at + all * everyMs < soonest) return late;
  for (const { one, count } of inOrder(waiting, where)) {
    const inTime = Math.min(count, Math.max(0, Math.ceil((one.deadline - at) / everyMs)));
    if (inTime < count) late.set(one.key, (late.get(one.key) ?? 0) + count - inTime);
    at += inTime * everyMs;
  }
  return late;
}
