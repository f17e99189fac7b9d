import type { LiveEvent, Metrics } from '@placet/runtime';

/** What a caller waits for: any verdict of the policy, the decision, or anything that is new. */
export type Until = 'verdict' | 'decision' | 'news';
export type Woken = { live: LiveEvent } | 'look' | 'timeout';

type Waiter = { until: Until; wake: (woken: Woken) => void };

const waitersMax = 20_000;

export type Waiting = ReturnType<typeof createWaiting>;

/** The callers that wait in this gateway: one live subscription wakes them through this map. */
export function createWaiting(metrics: Metrics) {
  const waiters = new Map<string, Set<Waiter>>();
  let count = 0;
  let closed = false;

  function wakeAll(actionId: string, woken: Woken, until?: Until): void {
    for (const waiter of waiters.get(actionId) ?? []) {
      if (until === undefined || waiter.until === until) waiter.wake(woken);
    }
  }

  return {
    isAwaited: (actionId: string) => waiters.has(actionId),

    take(event: LiveEvent): void {
      const { action_id } = event.data;
      const isDecided = event.type === 'action.decided';
      wakeAll(action_id, { live: event }, isDecided ? undefined : 'verdict');
      if (!isDecided) wakeAll(action_id, 'look', 'news');
    },

    progress(actionId: string): void {
      wakeAll(actionId, 'look', 'news');
    },

    /** The stream has to be read: something came that cannot be believed, or could have been missed. */
    look(actionId?: string): void {
      for (const id of actionId === undefined ? waiters.keys() : [actionId]) wakeAll(id, 'look');
    },

    /** Nobody waits any longer: whoever does is answered with what is known now. */
    close(): void {
      closed = true;
      for (const id of waiters.keys()) wakeAll(id, 'timeout');
    },
    isClosed: () => closed,

    /**
     * Begins to listen at once, so that what happens between asking and waiting is not missed. `next` resolves with
     * what came, or with `timeout`.
     */
    listen(actionId: string, until: Until): Listener | null {
      if (closed || count >= waitersMax) return null;
      let arrived: Woken | undefined;
      let resolve: ((woken: Woken) => void) | undefined;
      const waiter: Waiter = {
        until,
        wake(woken) {
          if (resolve) resolve(woken);
          // A decision is never overwritten by a mere "look".
          else if (arrived === undefined || woken !== 'look') arrived = woken;
        },
      };
      const group = waiters.get(actionId) ?? new Set();
      waiters.set(actionId, group.add(waiter));
      metrics.waiters.set(++count);

      return {
        next(timeoutMs) {
          const now = arrived;
          arrived = undefined;
          if (now !== undefined) return Promise.resolve(now);
          return new Promise<Woken>((done) => {
            const timer = setTimeout(() => finish('timeout'), timeoutMs);
            const finish = (woken: Woken) => {
              clearTimeout(timer);
              resolve = undefined;
              done(woken);
            };
            resolve = finish;
          });
        },
        wake: (woken) => waiter.wake(woken),
        stop() {
          if (!group.delete(waiter)) return;
          if (group.size === 0) waiters.delete(actionId);
          metrics.waiters.set(--count);
        },
      };
    },
  };
}

export type Listener = {
  next(timeoutMs: number): Promise<Woken>;
  wake(woken: Woken): void;
  stop(): void;
};
