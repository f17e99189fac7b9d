import { atOnceMax, clocksDifferMs, type Place, type Served } from './pace.ts';

/** An approval of which so many messages wait at a place. */
export type Waiting = {
  key: string;
  agent: string;
  revision: number;
  /** Null where nobody is asked any more. */
  deadline: number | null;
  count: number;
  /** How many of them ask somebody who has not been told yet. */
  asks: number;
};

/** What is sent next in one go. */
type Next = { one: Waiting; count: number };

/** What an agent asks, and what else is said of it: neither waits for all of the other. */
export const queueOf = ({ agent, deadline, asks }: Waiting) =>
  deadline !== null && asks > 0 ? agent : `${agent} (more)`;

type Where = { place: Place; served: Served; now: number };

/**
 * Of each queue as much as goes at once, and first of which it is the longest ago; in a queue is first which ends first. So
 * however much one agent has people asked, the others wait for a message or two of it each time, and no longer.
 */
export function* inOrder(waiting: readonly Waiting[], { place, served, now }: Where): Generator<Next> {
  const servedAt = (queue: string) => {
    const at = served[queue] ?? 0;
    return at > now + clocksDifferMs ? 0 : at;
  };
  let queues = [...Map.groupBy(waiting, queueOf)]
    .toSorted(([a], [b]) => servedAt(a) - servedAt(b))
    .map(([, of]) => of.toSorted((a, b) => (a.deadline ?? 0) - (b.deadline ?? 0)))
    .map((of) => of.map((one) => ({ one, left: one.count })));
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

/** Of which approvals how many ask too late, as it looks now: whoever is told after the deadline is told never. */
export function lateOnes(
  waiting: readonly Waiting[],
  { freeAt, ...where }: Where & { freeAt: number },
): { one: Waiting; count: number }[] {
  const { everyMs } = where.place;
  let at = Math.max(freeAt, where.now);
  const all = waiting.reduce((sum, { count }) => sum + count, 0);
  const soonest = Math.min(...waiting.flatMap(({ deadline }) => deadline ?? []));
  if (at + all * everyMs < soonest) return [];
  const late = new Map<Waiting, number>();
  for (const { one, count } of inOrder(waiting, where)) {
    const inTime =
      one.deadline === null ? count : Math.min(count, Math.max(0, Math.ceil((one.deadline - at) / everyMs)));
    if (inTime < count) late.set(one, (late.get(one) ?? 0) + count - inTime);
    at += inTime * everyMs;
  }
  // Whom something is asked goes before who is told more.
  return [...late]
    .map(([one, count]) => ({ one, count: count - (one.count - one.asks) }))
    .filter(({ count }) => count > 0);
}
