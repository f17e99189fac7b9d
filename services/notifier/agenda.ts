import type { CardChannel } from './card-channel.ts';
import { type CardsEntry, claimMs, dueAt, type Slot } from './ledger.ts';
import type { Waiting } from './order.ts';
import type { Place } from './pace.ts';

/** An approval of which something is left to be done, whatever becomes of its events. */
type Open = {
  agent: string;
  actionId: string;
  entry: CardsEntry;
  revision: number;
  /** When this was first seen here, by our own clock. */
  seenAt: number;
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
      const slots = waits.keys.get(key) ?? [];
      waits.keys.set(key, slots);
      slots.push(slot);
    }
  }

  function dueOf({ claimed, slots }: CardsEntry, now: number): number {
    if (claimed) return now + claimMs;
    const timed = Object.entries(slots).filter(
      ([target, slot]) => isLeft(slot) && !(waitsForTurn(slot) && placeOf(target) !== null),
    );
    return Math.min(...timed.map(([, slot]) => dueAt(slot, now)));
  }

  const isClaimedBy = ({ entry, seenAt }: Open, now: number) => entry.claimed && now < seenAt + claimMs;

  return {
    /** Null where there is nothing any more. */
    learn(key: string, entry: CardsEntry | null, revision: number): void {
      if ((open.get(key)?.revision ?? -1) >= revision) return;
      forget(key);
      const [, agent, actionId] = key.split('.');
      if (entry === null || agent === undefined || actionId === undefined) return;
      const now = Date.now();
      if (entry.claimed || Object.values(entry.slots).some(isLeft))
        enter(key, { agent, actionId, entry, revision, seenAt: now, due: dueOf(entry, now) });
      onChange();
    },

    onChange(listener: () => void): void {
      onChange = listener;
    },

    get: (key: string): Readonly<Open> | undefined => open.get(key),

    all: (): Iterable<readonly [key: string, one: Readonly<Open>]> => open,

    /** Whether somebody is at it, as far as can be known. */
    isClaimed(key: string, now: number): boolean {
      const one = open.get(key);
      return one !== undefined && isClaimedBy(one, now);
    },

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
        const due = slots.filter((slot) => dueAt(slot, now) <= now);
        if (!one || due.length === 0 || isClaimedBy(one, now)) return [];
        const { agent, revision, entry } = one;
        const asks = due.filter(({ status }) => status === 'waiting').length;
        return [{ key, agent, revision, deadline: entry.deadline, count: due.length, asks }];
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

const waitsForTurn = ({ status, waits }: Slot) => status === 'waiting' || waits !== undefined;

/** What was told as failed and may have been sent is left alone until the end, which comes with an event. */
const isLeft = (slot: Slot) =>
  waitsForTurn(slot) || slot.until !== undefined || (slot.status === 'sending' && slot.refused === undefined);
