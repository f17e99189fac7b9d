import { type CounterStream, countedOnceMs } from '@placet/events';
import { type CounterUse, type Refused, useId } from '@placet/policy';
import {
  type Added,
  addToCount,
  type BusContext,
  countPlace,
  countToken,
  Unavailable,
} from '@placet/runtime';

/** The broker forgets counts rather than refusing them, so nothing is counted in a stream that holds this much. */
const streamBytesMax = 128 * 2 ** 20;
const lookEveryMs = 1000;
/** For clocks that differ, and for the time that counting takes. */
const marginMs = 60_000;

/** The request that is judged: its event's id, and when it was made. */
export type Requested = { id: string; at: Date };

export type Taken = {
  /** What could not be counted. If there is anything, nothing stays counted. */
  refused: ReadonlyMap<string, Refused>;
  /** Once it is certain that the action was not allowed. */
  undo(): Promise<void>;
};

export type Counters = {
  /** Counts all that an action would use, or nothing of it; once, however often and wherever it is asked for. */
  take(uses: readonly CounterUse[], request: Requested): Promise<Taken>;
};

/**
 * An action adds to a count under an id of its own, so that a second delivery adds nothing and learns what the total
 * was after the first. What is over the bound is taken back under another id. A second delivery cannot see whether
 * the first has taken back, and so claims that id itself, with an addition of nothing: whoever is first there has said
 * how it ends.
 */
export function createCounters(context: BusContext): Counters {
  const hasRoom = watchRoom(context);

  async function count(use: CounterUse, request: Requested): Promise<'counted' | Refused> {
    if (use.units > use.max) return 'over';
    if (use.units === 0n) return 'counted';
    const ageMs = Date.now() - request.at.getTime();
    // The broker may not know any more that it was counted.
    if (ageMs > countedOnceMs - marginMs) return 'unreadable';
    const place = placeOf(use, request);
    if (!(await hasRoom(place.stream))) return 'unreadable';
    const added = await addToCount(context, place, use.units, `${request.id}.${idOf(use)}`);
    if (added.total > use.max) {
      await end(use, request, -use.units);
      return 'over';
    }
    if (!added.isRepeated) return 'counted';
    const ended = await end(use, request, 0n);
    return ended.units === 0n ? 'counted' : 'unreadable';
  }

  async function end(use: CounterUse, request: Requested, units: bigint): Promise<Added> {
    return addToCount(context, placeOf(use, request), units, `${request.id}.${idOf(use)}.end`);
  }

  async function undo(use: CounterUse, request: Requested): Promise<void> {
    const ended = await end(use, request, -use.units);
    if (ended.units !== 0n) return;
    await addToCount(context, placeOf(use, request), -use.units, `${request.id}.${idOf(use)}.undo`);
  }

  return {
    async take(uses, request) {
      const counted: CounterUse[] = [];
      const refused = new Map<string, Refused>();
      for (const use of uses) {
        const result = await count(use, request).catch((error: unknown) => {
          if (!(error instanceof Unavailable)) throw error;
          context.logger.warn({ err: error, rule: use.rule }, 'what a rule allows cannot be counted');
          return 'unreadable' as const;
        });
        context.metrics.counted.inc({ kind: use.kind, result });
        if (result !== 'counted') refused.set(useId(use), result);
        else if (use.units > 0n) counted.push(use);
      }
      if (refused.size > 0) for (const use of counted) await end(use, request, -use.units);
      return {
        refused,
        async undo() {
          if (refused.size === 0) for (const use of counted) await undo(use, request);
        },
      };
    },
  };
}

const idOf = (use: CounterUse) => countToken(useId(use));

const placeOf = (use: CounterUse, { at }: Requested) => countPlace(useId(use), use.perMs, at);

function watchRoom({ jsm }: BusContext): (stream: CounterStream) => Promise<boolean> {
  const looks = new Map<string, { at: number; hasRoom: Promise<boolean> }>();
  return ({ name }) => {
    const last = looks.get(name);
    if (last && performance.now() - last.at < lookEveryMs) return last.hasRoom;
    const hasRoom = jsm.streams.info(name).then(
      ({ state }) => state.bytes < streamBytesMax,
      () => false,
    );
    looks.set(name, { at: performance.now(), hasRoom });
    return hasRoom;
  };
}
