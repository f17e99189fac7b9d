import type { Agenda } from './agenda.ts';
import type { Grant, Place } from './pace.ts';
import type { Turns } from './turns.ts';

/** Turns that were given, and how many of them nobody has used. */
export type Held = { grant: Grant; left: number };

/** The turns with which an approval is looked at. */
export type Hand = {
  /** How many of so many messages may be sent at a place now. */
  take(place: Place, wanted: number): Promise<number>;
  /** Nothing was done with what was taken. */
  undo(): void;
  /** Gives back what was taken here and is left. */
  close(): Promise<void>;
};

type HandParts = { turns: Turns; agenda: Pick<Agenda, 'isWaitedAt'> };

/** Besides what it is given it takes a turn where nobody waits. Who waits is given one. */
export function openHand(
  { turns, agenda }: HandParts,
  { key, agent, given }: { key: string; agent: string; given?: Held | undefined },
): Hand {
  const givenLeft = given?.left ?? 0;
  const taken = new Map<string, Held>();

  async function heldAt(place: Place, wanted: number): Promise<Held | null> {
    if (given?.grant.place.name === place.name) return given;
    const before = taken.get(place.name);
    if (before && before.left > 0) return before;
    if (agenda.isWaitedAt(place, key)) return null;
    const grant = await turns.take(place, agent, wanted);
    if (grant === null) return null;
    const held: Held = { grant, left: grant.count };
    taken.set(place.name, held);
    return held;
  }

  return {
    async take(place, wanted) {
      const held = await heldAt(place, wanted);
      if (held === null) return 0;
      const count = Math.min(held.left, wanted);
      held.left -= count;
      return count;
    },
    undo() {
      if (given) given.left = givenLeft;
      for (const held of taken.values()) held.left = held.grant.count;
    },
    async close() {
      for (const { grant, left } of taken.values()) if (left > 0) await turns.giveBack(grant, left);
    },
  };
}
