import { type BusContext, causeId } from '@placet/runtime';
import type { Ledger } from './ledger.ts';
import { dueOf, type Line, nobodyWaits, type Place, withFree, withRest, withTaken } from './line.ts';

/** A turn that was taken, and when that is as things are. */
export type Turn = { turn: number; due: number };

/** Who sends next where, agreed by all who send. */
export type Turns = {
  take(place: Place, count: number): Promise<Turn[]>;
  /** When it is due by now; another one that is earlier, where somebody has left. */
  look(place: Place, turn: number): Promise<Turn>;
  giveBack(place: Place, turns: readonly number[]): Promise<void>;
  /** Nobody's turn is before this. */
  rest(place: Place, until: number): Promise<void>;
};

const triesMax = 50;

/**
 * The lines stand in the ledger, where each instance changes them by compare-and-set: so many instances are as one, and a
 * turn is where what waits for it is. Where the ledger cannot be reached, it is everybody's turn: the vendor's own limit
 * holds all the same.
 */
export function createTurns(ledger: Ledger<Line>, { logger }: Pick<BusContext, 'logger'>): Turns {
  const queues = new Map<string, Promise<unknown>>();
  const keyOf = ({ name }: Place) => `turns.${causeId(name)}`;

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

  async function read(place: Place): Promise<{ line: Line; revision: number }> {
    const known = await ledger.get(keyOf(place));
    return { line: known?.entry ?? nobodyWaits, revision: known?.revision ?? 0 };
  }

  /** Null where it could not be changed. */
  function changed<T>(place: Place, change: (line: Line) => { line: Line; result: T }): Promise<T | null> {
    return inTurn(keyOf(place), async () => {
      try {
        for (let tries = 0; tries < triesMax; tries++) {
          const known = await read(place);
          const { line, result } = change(known.line);
          if (line === known.line) return result;
          if ((await ledger.put(keyOf(place), line, known.revision)) !== false) return result;
        }
        logger.warn({ place: place.name }, 'the line changes too fast: sending there without a turn');
      } catch (error) {
        logger.warn({ err: error, place: place.name }, 'the line is not there: sending without a turn');
      }
      return null;
    });
  }

  const now = (turn = Date.now()): Turn => ({ turn, due: Date.now() });

  return {
    async take(place, count) {
      const { everyMs } = place;
      const taken = await changed(place, (before) => {
        const { line, turns } = withTaken(before, count, { everyMs, now: Date.now() });
        return { line, result: turns.map((turn) => ({ turn, due: dueOf(line, turn) })) };
      });
      return taken ?? Array.from({ length: count }, () => now());
    },

    async look(place, turn) {
      const known = await read(place).catch(() => null);
      if (!known) return now(turn);
      const due = dueOf(known.line, turn);
      const isEarlierFree = known.line.free.some(
        ([first, last]) => first < turn && dueOf(known.line, last) > Date.now(),
      );
      if (due <= Date.now() || !isEarlierFree) return { turn, due };
      const moved = await changed(place, (before) => {
        const taken = withTaken(before, 1, { everyMs: place.everyMs, now: Date.now() });
        const [earlier = turn] = taken.turns;
        if (earlier >= turn) return { line: before, result: { turn, due: dueOf(before, turn) } };
        const line = withFree(taken.line, [turn], place);
        return { line, result: { turn: earlier, due: dueOf(line, earlier) } };
      });
      return moved ?? { turn, due };
    },

    async giveBack(place, turns) {
      if (turns.length === 0) return;
      await changed(place, (before) => ({ line: withFree(before, turns, place), result: true }));
    },

    async rest(place, until) {
      await changed(place, (before) => ({ line: withRest(before, until, Date.now()), result: true }));
    },
  };
}
