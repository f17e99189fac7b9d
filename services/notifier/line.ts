import * as z from 'zod';

/** Somewhere that takes one message in so much time. */
export type Place = { name: string; everyMs: number };

/**
 * Who may send next at a place. A turn is a time on the clock of the place, which stands still while the place rests: so
 * a rest moves everybody back alike, and nobody loses a turn by it.
 */
export const Line = z.object({
  /** From here on the turns are free. */
  next: z.number(),
  /** How far the clock of the place is behind, all in all. */
  behindMs: z.number(),
  /** Until when it rests, on the clock of everybody. */
  restsUntil: z.number(),
  /** Turns before `next` that nobody wants any more, the earliest first. */
  free: z.array(z.number()),
});
export type Line = z.infer<typeof Line>;

export const nobodyWaits: Line = { next: 0, behindMs: 0, restsUntil: 0, free: [] };

const freeMax = 1000;

export const dueOf = ({ behindMs }: Line, turn: number) => turn + behindMs;

/** The earliest turns that are free. */
export function withTaken(
  line: Line,
  count: number,
  { everyMs, now }: { everyMs: number; now: number },
): { line: Line; turns: number[] } {
  const earliest = Math.max(now, line.restsUntil) - line.behindMs;
  const free = line.free.filter((turn) => turn >= earliest);
  const turns = free.splice(0, count);
  let { next } = line;
  while (turns.length < count) {
    const turn = Math.max(next, earliest);
    turns.push(turn);
    next = turn + everyMs;
  }
  return { line: { ...line, next, free }, turns };
}

export function withFree(line: Line, turns: readonly number[], { everyMs }: { everyMs: number }): Line {
  const free = [...new Set([...line.free, ...turns])].toSorted((a, b) => a - b);
  let { next } = line;
  while (free.length > 0 && free.at(-1) === next - everyMs) next = free.pop() ?? next;
  return { ...line, next, free: free.slice(0, freeMax) };
}

export function withRest(line: Line, until: number, now: number): Line {
  const restMs = until - Math.max(now, line.restsUntil);
  return restMs <= 0 ? line : { ...line, behindMs: line.behindMs + restMs, restsUntil: until };
}
