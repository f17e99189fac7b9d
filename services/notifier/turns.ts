/** Places take so many messages a second. Whoever comes waits in line, and keeps the place while asking for it. */
export type Turns = {
  /** How long `who` has to wait for its turn at the place; 0 is now, and takes it. */
  take(place: string, who: string, now: number): number;
  /** Nobody's turn is before this. */
  rest(place: string, until: number): void;
};

/** Who waits asks again at this interval at the latest; who does not any more has found something else, or died. */
const forgottenMs = 15_000;
/** Who is late for its own turn does not hold up the others. */
const lateMs = 500;

type Place = { free: number; line: Map<string, number> };

export function createTurns(everyMs: number): Turns {
  const places = new Map<string, Place>();

  function placeOf(name: string): Place {
    const known = places.get(name);
    if (known) return known;
    const place: Place = { free: 0, line: new Map() };
    places.set(name, place);
    return place;
  }

  return {
    take(name, who, now) {
      const place = placeOf(name);
      const { line } = place;
      for (const [other, askedAt] of line) {
        if (now - askedAt > forgottenMs + everyMs * line.size && other !== who) line.delete(other);
      }
      // A map keeps the place of who asks again.
      line.set(who, now);
      const position = [...line.keys()].indexOf(who);
      const isFree = place.free <= now;
      if (isFree && (position === 0 || now - place.free >= lateMs * position)) {
        line.delete(who);
        place.free = now + everyMs;
        if (line.size === 0 && place.free <= now) places.delete(name);
        return 0;
      }
      return Math.max(1, Math.max(0, place.free - now) + position * everyMs);
    },

    rest(name, until) {
      const place = placeOf(name);
      place.free = Math.max(place.free, until);
    },
  };
}
