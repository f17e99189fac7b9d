import { type BusContext, backoffMs, StoreFull, Unavailable } from '@placet/runtime';
import type { Call, Cards } from './cards.ts';

/** Where a look has changed nothing, another one soon would not either. */
const idleMs = 10_000;
const busyMs = 250;
const faultMsMax = 60_000;

export type Attempts = ReturnType<typeof createAttempts>;

/** Looks at the approvals on the agenda: at each by one, and not again before it makes sense. */
export function createAttempts({ logger }: Pick<BusContext, 'logger'>, { agenda, goOn }: Cards) {
  const atWork = new Set<string>();
  const notBefore = new Map<string, number>();
  const faults = new Map<string, number>();

  async function attempt(key: string, call?: Call): Promise<number> {
    const before = agenda.get(key)?.revision;
    try {
      const look = await goOn(key, call);
      faults.delete(key);
      if (look !== 'done') return busyMs;
      return agenda.get(key)?.revision === before ? idleMs : 0;
    } catch (error) {
      const count = (faults.get(key) ?? 0) + 1;
      faults.set(key, count);
      const text = 'an approval cannot be brought up to date now, and is tried again';
      // Somebody else is away: where in our code that was noticed tells nobody anything.
      if (error instanceof Unavailable || error instanceof StoreFull)
        logger.warn({ key }, `${text}: ${error.message}`);
      else logger.error({ err: error, key }, text);
      return backoffMs(count, busyMs, faultMsMax);
    }
  }

  return {
    isFree: (key: string, now: number): boolean => !atWork.has(key) && (notBefore.get(key) ?? 0) <= now,

    /** This does not throw: what cannot be done now is done later. */
    async goOn(key: string, call?: Call): Promise<void> {
      if (atWork.has(key)) return;
      atWork.add(key);
      const waitMs = await attempt(key, call);
      atWork.delete(key);
      if (agenda.get(key)) notBefore.set(key, Date.now() + waitMs);
      else for (const kept of [notBefore, faults]) kept.delete(key);
    },
  };
}
