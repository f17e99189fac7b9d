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
  /**
   * Turns before `next` that nobody wants any more, the earliest first: each the first and the last of those in a row, so
   * that however many leave, none is lost. What cannot be read is as if nobody had left.
   */
  free: z.array(z.tuple([z.number(), z.number()])).catch([]),
});
export type Line = z.infer<typeof Line>;

type Row = Line['free'][number];

export const nobodyWaits: Line = { next: 0, behindMs: 0, restsUntil: 0, free: [] };

const freeRowsMax = 1000;

export const dueOf = ({ behindMs }: Line, turn: number) => turn + behindMs;

/** The earliest turns that are free. */
export function withTaken(
  line: Line,
  count: number,
  { everyMs, now }: { everyMs: number; now: number },
): { line: Line; turns: number[] } {
  const earliest = Math.max(now, line.restsUntil) - line.behindMs;
  const turns: number[] = [];
  const free = line.free.flatMap(([first, last]): Row[] => {
    let turn = first + Math.max(0, Math.ceil((earliest - first) / everyMs)) * everyMs;
    for (; turn <= last && turns.length < count; turn += everyMs) turns.push(turn);
    return turn <= last ? [[turn, last]] : [];
  });
  let { next } = line;
  while (turns.length < count) {
    const turn = Math.max(next, earliest);
    turns.push(turn);
    next = turn + everyMs;
  }
  return { line: { ...line, next, free }, turns };
}

export function withFree(line: Line, turns: readonly number[], { everyMs }: { everyMs: number }): Line {
  const single = turns.map((turn): Row => [turn, turn]);
  const free: Row[] = [];
  for (const [first, last] of [...line.free, ...single].toSorted(([a], [b]) => a - b)) {
    const before = free.at(-1);
    if (before !== undefined && first === before[1] + everyMs) before[1] = last;
    // What was taken without the line may lie between its turns: to give it back frees none.
    else if (before === undefined || first > before[1]) free.push([first, last]);
  }
  const end = free.at(-1);
  if (end === undefined || end[1] !== line.next - everyMs)
    return { ...line, free: free.slice(0, freeRowsMax) };
  return { ...line, next: end[0], free: free.slice(0, -1).slice(0, freeRowsMax) };
}

export function withRest(line: Line, until: number, now: number): Line {
  const restMs = until - Math.max(now, line.restsUntil);
  return restMs <= 0 ? line : { ...line, behindMs: line.behindMs + restMs, restsUntil: until };
}
