import { type CardsEntry, dueAt, type Slot } from './ledger.ts';
import type { Told } from './told.ts';

/** What is to be done at one place, and how long that has to wait. */
export type Step = {
  target: string;
  slot: Slot | undefined;
  what: 'send' | 'find' | 'update' | 'giveUp';
  waitMs: number;
  /** It is its turn at the place. */
  hasTurn?: boolean;
};

/** How it ended is tried on, as long as there is a next try. */
const isTriedStill = ({ ended }: Told, { until }: Slot) => ended !== null && until !== undefined;

/**
 * What brings the places up to date. After the end nobody is asked any more, all that stands says so, and whom the policy
 * wants to hear of it is told.
 */
export function planOf(
  slots: CardsEntry['slots'],
  told: Told,
  { wanted, now }: { wanted: readonly string[]; now: number },
): Step[] {
  return [...new Set([...Object.keys(slots), ...wanted])].flatMap((target): Step[] => {
    const slot = slots[target];
    const step = stepOf(slot, told, wanted.includes(target));
    if (step === null) return [];
    const waitMs = Math.max(0, (slot ? dueAt(slot, now) : 0) - now);
    return [inTime({ target, slot, what: step, waitMs }, told, now)];
  });
}

function stepOf(slot: Slot | undefined, told: Told, isWanted: boolean): Step['what'] | null {
  if (slot === undefined) return isWanted ? 'send' : null;
  switch (slot.status) {
    case 'waiting':
      return isWanted ? 'send' : null;
    case 'sending':
      // What was told as failed is somebody else's until the end. Then what may stand there is to be ended.
      return slot.refused !== undefined && !told.ended ? null : 'find';
    case 'shown':
      if ((slot.version ?? 0) >= told.version) return null;
      // What was refused once is tried with each new event.
      return (slot.refused ?? 0) < told.version || isTriedStill(told, slot) ? 'update' : null;
    case 'failed':
      return null;
    default:
      return slot.status satisfies never;
  }
}

/** Who would be told after the deadline is told never; that is better known now. */
function inTime(step: Step, told: Told, now: number): Step {
  if (step.what === 'update' || told.ended) return step;
  const leftMs = Date.parse(told.needed.deadline) - now;
  return step.waitMs > 0 && step.waitMs >= leftMs ? { ...step, what: 'giveUp', waitMs: 0 } : step;
}
