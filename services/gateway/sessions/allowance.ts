import { Refusal } from '@placet/runtime';

type Allowance = {
  /** Takes one of those that there are; false where there is none left. */
  take(who: string, now: Date): boolean;
  /** Refuses who has had as many as there are. */
  count(who: string, now: Date): void;
};

/** So many within such a time for each, as far as this gateway knows. */
export function createAllowance({ max, withinMs }: { max: number; withinMs: number }): Allowance {
  const had = new Map<string, number[]>();

  function forget(since: number): void {
    // Whoever took one last comes last.
    for (const [who, times] of had) {
      if ((times.at(-1) ?? 0) > since) return;
      had.delete(who);
    }
  }

  function take(who: string, now: Date): boolean {
    const since = now.getTime() - withinMs;
    forget(since);
    const recent = (had.get(who) ?? []).filter((at) => at > since);
    if (recent.length >= max) return false;
    had.delete(who);
    had.set(who, [...recent, now.getTime()]);
    return true;
  }

  return {
    take,
    count(who, now) {
      if (take(who, now)) return;
      const endsMs = (had.get(who)?.[0] ?? 0) + withinMs - now.getTime();
      throw new Refusal('RATE_LIMITED', { retryAfterS: Math.max(1, Math.ceil(endsMs / 1000)) });
    },
  };
}
