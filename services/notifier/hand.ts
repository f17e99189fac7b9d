import type { Agenda } from './agenda.ts';
import type { Grant, Place } from './pace.ts';
import type { Turns } from './turns.ts';

/** Turns that were taken at a place, and how many of them nobody has used. */
export type Taken = { grant: Grant; left: number };

/** One look takes turns at so many places: before it has sent there, nobody else does, and nobody else looks. */
const placesMax = 5;

/** The turns with which an approval is looked at. */
export type Hand = {
  /** How many of so many messages may be sent at a place now. */
  take(place: Place, wanted: number): Promise<number>;
  /** How many were taken. */
  used(): number;
  /** Nothing was done with what was taken, before anything is sent. */
  undo(): void;
  /** Gives back what was taken here and is left. */
  close(): Promise<void>;
};

type HandParts = { turns: Turns; agenda: Pick<Agenda, 'isWaitedAt'> };

/** Besides what it is given it takes a turn where nobody waits, unless much of the same agent is done already. */
export function openHand(
  { turns, agenda }: HandParts,
  {
    key,
    agent,
    given,
    isCrowded,
  }: { key: string; agent: string; given?: Taken | undefined; isCrowded: boolean },
): Hand {
  const givenLeft = given?.left ?? 0;
  const taken = new Map<string, Taken>();
  let used = 0;

  async function takenAt(place: Place, wanted: number): Promise<Taken | null> {
    if (given?.grant.place.name === place.name) return given;
    const before = taken.get(place.name);
    if (before && before.left > 0) return before;
    if (isCrowded || taken.size >= placesMax || agenda.isWaitedAt(place, key)) return null;
    const grant = await turns.take(place, agent, wanted);
    if (grant === null) return null;
    const one: Taken = { grant, left: grant.count };
    taken.set(place.name, one);
    return one;
  }

  return {
    async take(place, wanted) {
      const here = await takenAt(place, wanted);
      if (here === null) return 0;
      const count = Math.min(here.left, wanted);
      here.left -= count;
      used += count;
      return count;
    },
    used: () => used,
    undo() {
      if (given) given.left = givenLeft;
      for (const one of taken.values()) one.left = one.grant.count;
    },
    async close() {
      for (const { grant, left } of taken.values()) if (left > 0) await turns.giveBack(grant, left);
    },
  };
}
