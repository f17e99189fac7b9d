import type { CardChannel } from './card-channel.ts';
import type { CardsEntry, Slot } from './ledger.ts';
import type { Step } from './plan.ts';
import type { Place, Turn, Turns } from './turns.ts';

type Slots = CardsEntry['slots'];
type Held = { place: Place; turn: number };
type Waiting = Step & { place: Place };

export type Queue = {
  /** Each who is to be sent to has a turn: one, however often this is asked. `taken` are those that are new. */
  join(slots: Slots, steps: readonly Step[]): Promise<{ slots: Slots; taken: Held[] }>;
  /** Takes out of the slots who is not sent to any more. */
  leave(slots: Slots, steps: readonly Step[]): { slots: Slots; left: Held[] };
  giveBack(held: readonly Held[]): Promise<void>;
};

/** Who waits for a turn, as the slots remember it: so a turn is anybody's who gets to it when it is due. */
export function createQueue(channel: Pick<CardChannel, 'placeOf'>, turns: Turns): Queue {
  return {
    async join(slots, steps) {
      const joined = { ...slots };
      const taken: Held[] = [];
      const waiting = steps.flatMap((step): Waiting[] => {
        const place = step.what === 'send' ? channel.placeOf(step.target) : null;
        return place === null ? [] : [{ ...step, place }];
      });
      for (const here of Map.groupBy(waiting, ({ place }) => place.name).values()) {
        for (const [{ target, slot }, held] of await turnsFor(here, taken)) {
          joined[target] = { ...waitingSlot(slot), turn: held.turn, until: held.due };
        }
      }
      return { slots: joined, taken };
    },

    leave(slots, steps) {
      const going = new Set(
        steps.filter(({ what }) => what === 'send' || what === 'giveUp').map(({ target }) => target),
      );
      const gone = Object.entries(slots).filter(
        ([target, { status }]) => status === 'waiting' && !going.has(target),
      );
      const left = gone.flatMap(([target, { turn }]): Held[] => {
        const place = channel.placeOf(target);
        return place === null || turn === undefined ? [] : [{ place, turn }];
      });
      const kept = Object.entries(slots).filter((entry) => !gone.some(([target]) => target === entry[0]));
      return { slots: Object.fromEntries(kept), left };
    },

    async giveBack(held) {
      for (const of of Map.groupBy(held, ({ place }) => place.name).values()) {
        const [{ place } = {}] = of;
        const given = of.map(({ turn }) => turn);
        if (place) await turns.giveBack(place, given);
      }
    },
  };

  /** Of those who have one already, the ones that are due are looked at, and the next: it may have become earlier. */
  async function turnsFor(here: readonly Waiting[], taken: Held[]): Promise<[Waiting, Turn][]> {
    const [{ place } = {}] = here;
    if (!place) return [];
    const fresh = here.filter(({ slot }) => slot?.turn === undefined);
    const news = fresh.length > 0 ? await turns.take(place, fresh.length) : [];
    taken.push(...news.map(({ turn }) => ({ place, turn })));
    const all = fresh.flatMap((step, n): [Waiting, Turn][] => {
      const held = news[n];
      return held ? [[step, held]] : [];
    });
    const holding = here.filter(({ slot }) => slot?.turn !== undefined);
    for (const step of holding.filter(({ waitMs }, n) => n === 0 || waitMs <= 0)) {
      all.push([step, await turns.look(place, step.slot?.turn ?? 0)]);
    }
    return all;
  }
}

const waitingSlot = (slot: Slot | undefined): Slot =>
  slot ?? { status: 'waiting', attempts: 0, at: Date.now() };
