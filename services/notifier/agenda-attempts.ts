import {
  type BusContext,
  backoffMs,
  causeId,
  type RaiseAlarm,
  StoreFull,
  Unavailable,
} from '@placet/runtime';
import type { Call, Cards } from './cards.ts';

/** Where a look has changed nothing, another one soon would not either. */
const idleMs = 10_000;
const busyMs = 250;
const faultMsMax = 60_000;
/** So many faults of our own in a row are told. */
const faultsMax = 12;

type Parts = { context: Pick<BusContext, 'logger'>; alarm: RaiseAlarm; kind: string };
type Rest = { until: number; revision: number | undefined };

/** Looks at the approvals on the agenda: at each by one, and not again before it makes sense. */
export function createAttempts({ context: { logger }, alarm, kind }: Parts, { agenda, goOn }: Cards) {
  const atWork = new Set<string>();
  const resting = new Map<string, Rest>();
  const faults = new Map<string, number>();
  const revisionOf = (key: string) => agenda.get(key)?.revision;

  async function attempt(key: string, call?: Call): Promise<number> {
    const before = revisionOf(key);
    try {
      const look = await goOn(key, call);
      faults.delete(key);
      if (look !== 'done') return busyMs;
      return revisionOf(key) === before ? idleMs : 0;
    } catch (error) {
      const count = (faults.get(key) ?? 0) + 1;
      faults.set(key, count);
      await tell(key, count, error);
      return backoffMs(count, busyMs, faultMsMax);
    }
  }

  async function tell(key: string, count: number, error: unknown): Promise<void> {
    const text = 'an approval cannot be brought up to date now, and is tried again';
    // Somebody else is away: where in our code that was noticed tells nobody anything.
    if (error instanceof Unavailable || error instanceof StoreFull) {
      logger.warn({ key }, `${text}: ${error.message}`);
      return;
    }
    logger.error({ err: error, key }, text);
    const { agent, actionId } = agenda.get(key) ?? {};
    if (count !== faultsMax || agent === undefined || actionId === undefined) return;
    await alarm({
      kind: 'cards_stuck',
      about: causeId(key),
      message: `${actionId} of ${agent} cannot be brought up to date in ${kind}, and is tried on: ${String(error)}`,
      details: { action_id: actionId, agent },
    }).catch(() => {});
  }

  return {
    isFree(key: string, now: number): boolean {
      if (atWork.has(key)) return false;
      const rest = resting.get(key);
      return rest === undefined || rest.until <= now || rest.revision !== revisionOf(key);
    },

    /** This does not throw: what cannot be done now is done later. */
    async goOn(key: string, call?: Call): Promise<void> {
      if (atWork.has(key)) return;
      atWork.add(key);
      const waitMs = await attempt(key, call);
      atWork.delete(key);
      resting.set(key, { until: Date.now() + waitMs, revision: revisionOf(key) });
    },

    /** Of what is on the agenda no more nothing has to be known. */
    forgetOthers(): void {
      for (const kept of [resting, faults]) {
        for (const key of kept.keys()) if (!agenda.get(key)) kept.delete(key);
      }
    },
  };
}
