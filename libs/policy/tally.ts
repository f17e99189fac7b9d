import { digestOfText } from '@placet/proof';
import { type CounterUse, type Refused, useId } from './counters.ts';

/** How many counts one tally keeps. */
const countsMax = 500_000;

/** Counts as the policy service does, for requests that are only tried: in memory, and in their order. */
export type Tally = {
  /** What could not be counted. If there is anything, nothing of it stays counted. */
  take(uses: readonly CounterUse[], at: Date): ReadonlyMap<string, Refused>;
};

export const createTally = (): Tally => {
  const totals = new Map<string, bigint>();
  // What is counted by may be as long as an agent likes.
  const keyOf = (use: CounterUse, at: Date) =>
    `${Math.floor(at.getTime() / use.perMs)} ${digestOfText(useId(use))}`;
  return {
    take(uses, at) {
      const refused = new Map<string, Refused>();
      for (const use of uses) {
        const key = keyOf(use, at);
        const total = (totals.get(key) ?? 0n) + use.units;
        if (total > use.max) refused.set(useId(use), 'over');
        else if (!totals.has(key) && totals.size >= countsMax) refused.set(useId(use), 'unreadable');
      }
      if (refused.size > 0) return refused;
      for (const use of uses) totals.set(keyOf(use, at), (totals.get(keyOf(use, at)) ?? 0n) + use.units);
      return refused;
    },
  };
};
