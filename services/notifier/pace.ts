import * as z from 'zod';

/** Somewhere that takes one message in so much time. */
export type Place = { name: string; everyMs: number };

/** How far a place is, and who was given turns there. */
export const Pace = z.object({
  /** When it takes the next message. */
  next: z.number(),
  /** Until then it takes none: it has said so. */
  restsUntil: z.number(),
  /** For how long that was when it was said. */
  restMs: z.number(),
  /** When each queue had its last turn, for as long as that matters. */
  served: z.record(z.string(), z.number()),
});
export type Pace = z.infer<typeof Pace>;
export type Served = Pace['served'];

export const unused: Pace = { next: 0, restsUntil: 0, restMs: 0, served: {} };

/** Some turns, the first of them now. */
export type Grant = { place: Place; from: number; count: number };

/** Where turns are short, some are given at once: each costs a look at the approval. */
const atOnceMs = 250;
/** What a clock says that is further ahead of ours is not believed: nobody waits for its mistake. */
export const clocksDifferMs = 5000;
/** Who wants to rest for longer is asked again in between. */
const restMsMax = 900_000;
const servedMs = 600_000;
const servedMax = 200;

export const atOnceMax = ({ everyMs }: Place) => Math.max(1, Math.floor(atOnceMs / everyMs));

/** When it takes the next message; in the past where that is now. */
export function freeAt(pace: Pace, { everyMs }: Place, now: number): number {
  const latest = now + Math.max(everyMs, atOnceMs) + clocksDifferMs;
  return Math.max(pace.next > latest ? 0 : pace.next, restOf(pace, now));
}

const restOf = ({ restsUntil, restMs }: Pace, now: number) =>
  restsUntil > now + restMs + clocksDifferMs ? 0 : restsUntil;

/** As many turns as there are, at the most so many; null where there is none now. */
export function withTurns(
  pace: Pace,
  place: Place,
  { queue, wanted, now }: { queue: string; wanted: number; now: number },
): { pace: Pace; grant: Grant } | null {
  if (freeAt(pace, place, now) > now) return null;
  const count = Math.min(wanted, atOnceMax(place));
  const served = { ...withoutOld(pace.served, now), [queue]: now };
  return {
    pace: { ...pace, next: now + count * place.everyMs, served },
    grant: { place, from: now, count },
  };
}

/** Turns that nobody needed, if none was given since. */
export function withoutTurns(pace: Pace, { place, from, count }: Grant, unneeded: number): Pace {
  if (pace.next !== from + count * place.everyMs) return pace;
  return { ...pace, next: pace.next - unneeded * place.everyMs };
}

export function withRest(pace: Pace, until: number, now: number): Pace {
  const restMs = Math.min(until - now, restMsMax);
  return now + restMs <= restOf(pace, now) ? pace : { ...pace, restsUntil: now + restMs, restMs };
}

function withoutOld(served: Served, now: number): Served {
  const recent = Object.entries(served)
    .filter(([, at]) => at > now - servedMs && at <= now + clocksDifferMs)
    .toSorted(([, a], [, b]) => b - a);
  return Object.fromEntries(recent.slice(0, servedMax - 1));
}
