import type { CardChannel } from './card-channel.ts';
import { type CardsEntry, dueAt, isHeld, type Slot } from './ledger.ts';
import type { Waiting } from './order.ts';
import type { Place } from './pace.ts';

/** An approval of which something is left to be done, whatever becomes of its events. */
type Open = {
  agent: string;
  actionId: string;
  entry: CardsEntry;
  revision: number;
  /** When something is to be done on its own time. */
  due: number;
};
type Waits = { place: Place; keys: Map<string, Slot[]> };

export type Agenda = ReturnType<typeof createAgenda>;

/** What stands in the ledger of one kind of channel and is left to be done: at its time, or when it is its turn somewhere. */
export function createAgenda({ placeOf }: Pick<CardChannel, 'placeOf'>) {
  const open = new Map<string, Open>();
  const places = new Map<string, Waits>();
  let onChange = () => {};

  function forget(key: string): void {
    for (const target of Object.keys(open.get(key)?.entry.slots ?? {})) {
      const name = placeOf(target)?.name ?? '';
      const waits = places.get(name);
      waits?.keys.delete(key);
      if (waits?.keys.size === 0) places.delete(name);
    }
    open.delete(key);
  }

  function enter(key: string, one: Open): void {
    open.set(key, one);
    for (const [target, slot] of Object.entries(one.entry.slots)) {
      const place = waitsForTurn(slot) ? placeOf(target) : null;
      if (place === null) continue;
      const waits = places.get(place.name) ?? { place, keys: new Map<string, Slot[]>() };
      places.set(place.name, waits);
      waits.keys.set(key, [...(waits.keys.get(key) ?? []), slot]);
    }
  }

  function dueOf({ until, slots }: CardsEntry, now: number): number {
    if (isHeld(until, now)) return until;
    if (until > 0) return 0;
    const timed = Object.entries(slots).filter(
      ([target, slot]) => isLeft(slot) && !(waitsForTurn(slot) && placeOf(target) !== null),
    );
    return Math.min(...timed.map(([, slot]) => dueAt(slot, now)));
  }

  return {
    learn(key: string, entry: CardsEntry | null, revision: number): void {
      if ((open.get(key)?.revision ?? -1) >= revision) return;
      forget(key);
      const [, agent, actionId] = key.split('.');
      if (entry === null || agent === undefined || actionId === undefined) return;
      if (entry.until > 0 || Object.values(entry.slots).some(isLeft))
        enter(key, { agent, actionId, entry, revision, due: dueOf(entry, Date.now()) });
      onChange();
    },

    onChange(listener: () => void): void {
      onChange = listener;
    },

    get: (key: string): Readonly<Open> | undefined => open.get(key),

    all: (): Iterable<readonly [key: string, one: Readonly<Open>]> => open,

    /** Where others wait, nobody goes before them. */
    isWaitedAt(place: Place, exceptKey: string): boolean {
      const { keys } = places.get(place.name) ?? { keys: new Map<string, Slot[]>() };
      return keys.size > (keys.has(exceptKey) ? 1 : 0);
    },

    places: (): Place[] => [...places.values()].map(({ place }) => place),

    /** Who would send at a place now. */
    waitingAt({ name }: Place, now: number): Waiting[] {
      return [...(places.get(name)?.keys ?? [])].flatMap(([key, slots]): Waiting[] => {
        const one = open.get(key);
        const count = slots.filter((slot) => dueAt(slot, now) <= now).length;
        if (!one || count === 0 || isHeld(one.entry.until, now)) return [];
        return [{ key, agent: one.agent, deadline: one.entry.deadline, count }];
      });
    },

    /** How many messages wait for their turn. */
    size: (): number =>
      [...places.values()].reduce(
        (sum, { keys }) => sum + [...keys.values()].reduce((of, slots) => of + slots.length, 0),
        0,
      ),
  };
}

const waitsForTurn = ({ status, waits }: Slot) => status === 'waiting' || waits === true;

/** What an event has to bring up again is not on the agenda. */
const isLeft = (slot: Slot) =>
  waitsForTurn(slot) || slot.until !== undefined || (slot.status === 'sending' && slot.refused === undefined);
