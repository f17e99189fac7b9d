import { Refusal } from '@placet/runtime';

export type Allowance = {
  /** Refuses who has had as many as there are. */
  count(who: string, now: Date): void;
};

/** So many within such a time for each: nobody fills the store that all of them sign in by. */
export function createAllowance({ max, withinMs }: { max: number; withinMs: number }): Allowance {
  const had = new Map<string, number[]>();
  return {
    count(who, now) {
      const recent = (had.get(who) ?? []).filter((at) => at > now.getTime() - withinMs);
      if (recent.length >= max) {
        const retryAfterS = Math.ceil(((recent[0] ?? 0) + withinMs - now.getTime()) / 1000);
        throw new Refusal('RATE_LIMITED', { retryAfterS: Math.max(1, retryAfterS) });
      }
      had.set(who, [...recent, now.getTime()]);
    },
  };
}
