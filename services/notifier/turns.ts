import { type BusContext, causeId } from '@placet/runtime';
import type { Ledger } from './ledger.ts';
import {
  freeAt,
  type Grant,
  type Pace,
  type Place,
  type Served,
  unused,
  withoutTurns,
  withRest,
  withTurns,
} from './pace.ts';

/** Who sends next where, agreed by all who send. */
export type Turns = {
  /** Null where it is nobody's turn now. */
  take(place: Place, queue: string, wanted: number): Promise<Grant | null>;
  giveBack(grant: Grant, unneeded: number): Promise<void>;
  /** The place takes nothing before this. */
  rest(place: Place, until: number): Promise<void>;
  /** When the place takes the next message, and who was served, as it was last seen. */
  seen(place: Place): { freeAt: number; served: Served };
};

const triesMax = 50;
/** What was seen of a place is only a shorter way. */
const seenMax = 1000;

type Known = { pace: Pace; revision: number };

/**
 * The pace of each place stands in the ledger, where each instance changes it by compare-and-set: so however many
 * instances there are, a place is told things no faster, and whoever is there when it takes the next message sends.
 */
export function createTurns(ledger: Ledger<Pace>, { logger }: Pick<BusContext, 'logger'>): Turns {
  const seen = new Map<string, Known>();
  const queues = new Map<string, Promise<unknown>>();
  const keyOf = ({ name }: Place) => `pace.${causeId(name)}`;

  /** Within a process one after the other, so that only processes race. */
  function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = (queues.get(key) ?? Promise.resolve()).then(work, work);
    queues.set(key, mine);
    const leave = () => {
      if (queues.get(key) === mine) queues.delete(key);
    };
    mine.then(leave, leave);
    return mine;
  }

  async function read(key: string): Promise<Known> {
    const known = await ledger.get(key);
    return { pace: known?.entry ?? unused, revision: known?.revision ?? 0 };
  }

  /** What was seen last is tried first: where nobody else sends, it still is so. */
  function changed<T>(
    place: Place,
    change: (pace: Pace) => { pace: Pace; result: T } | null,
  ): Promise<T | null> {
    const key = keyOf(place);
    return inTurn(key, async () => {
      for (let tries = 0; tries < triesMax; tries++) {
        const known = seen.get(key) ?? (await read(key));
        if (seen.size >= seenMax) seen.clear();
        seen.set(key, known);
        const news = change(known.pace);
        if (!news || news.pace === known.pace) return news?.result ?? null;
        const revision = await ledger.put(key, news.pace, known.revision);
        if (revision !== false) {
          seen.set(key, { pace: news.pace, revision });
          return news.result;
        }
        seen.delete(key);
      }
      logger.warn({ place: place.name }, 'the pace of a place changes too fast to send there now');
      return null;
    });
  }

  /** The vendor's own limit holds all the same. */
  async function perhaps(place: Place, change: (pace: Pace) => Pace): Promise<void> {
    try {
      await changed(place, (pace) => ({ pace: change(pace), result: true }));
    } catch (error) {
      logger.warn({ err: error, place: place.name }, 'the pace of a place could not be written down');
    }
  }

  return {
    take: (place, queue, wanted) =>
      changed(place, (before) => {
        const taken = withTurns(before, place, { queue, wanted, now: Date.now() });
        return taken && { pace: taken.pace, result: taken.grant };
      }),
    giveBack: (grant, unneeded) => perhaps(grant.place, (pace) => withoutTurns(pace, grant, unneeded)),
    rest: (place, until) => perhaps(place, (pace) => withRest(pace, until, Date.now())),
    seen(place) {
      const { pace } = seen.get(keyOf(place)) ?? { pace: unused };
      return { freeAt: freeAt(pace, place, Date.now()), served: pace.served };
    },
  };
}
