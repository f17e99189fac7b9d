/** Places take so many messages a second. Whoever comes gets a turn, and keeps it until then. */
export type Turns = {
  /** How long `who` has to wait for its turn at the place; 0 is now, and takes it. */
  take(place: string, who: string, now: number): number;
  /** Nobody's turn is before this. */
  rest(place: string, until: number): void;
};

export function createTurns(everyMs: number): Turns {
  const free = new Map<string, number>();
  const turns = new Map<string, number>();

  return {
    take(place, who, now) {
      const key = `${place} ${who}`;
      const turn = turns.get(key) ?? Math.max(now, free.get(place) ?? 0);
      if (!turns.has(key)) free.set(place, turn + everyMs);
      if (turn > now) turns.set(key, turn);
      else turns.delete(key);
      return Math.max(0, turn - now);
    },

    rest(place, until) {
      free.set(place, Math.max(free.get(place) ?? 0, until));
    },
  };
}
