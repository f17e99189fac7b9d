import { countedOnceMs } from '@placet/events';
import { type CounterUse, type Refused, useId } from '@placet/policy';
import {
  type Added,
  addToCount,
  type BusContext,
  CountForgotten,
  countPlace,
  countToken,
  readCount,
  Unavailable,
} from '@placet/runtime';
import type { HasRoom } from './counter-room.ts';

/** For clocks that differ, and for the time that counting takes. */
const marginMs = 60_000;
/** Whoever could not count does not try again at once: requests that need no count would wait behind those that do. */
const restMs = 2000;

/** The request that is judged: its event's id, and when it was made. */
export type Requested = { id: string; at: Date };

export type Taken = {
  /** What could not be counted; with anything in it, the action is not allowed. */
  refused: ReadonlyMap<string, Refused>;
  /** Takes back all that was counted, once it is certain that the action was not allowed. */
  undo(): Promise<void>;
};

export type Counters = {
  /** Counts what an action would use; once, however often and wherever it is asked for. */
  take(uses: readonly CounterUse[], request: Requested): Promise<Taken>;
  /** What would be refused now. Nothing is counted. */
  look(uses: readonly CounterUse[], request: Requested): Promise<ReadonlyMap<string, Refused>>;
};

type Result = 'counted' | Refused;

/**
 * An action adds to a count under an id of its own, so that a second delivery adds nothing and learns what the total
 * was after the first. What is over the bound is taken back under another id. A second delivery cannot see whether
 * the first has taken back, and so claims that id itself, with an addition of nothing: whoever is first there has said
 * how it ends.
 */
export function createCounters(context: BusContext, hasRoom: HasRoom): Counters {
  let restUntil = 0;

  /** Tells what it has added by `mine`, unless it has taken it back itself. */
  async function count(
    use: CounterUse,
    request: Requested,
    mine: (use: CounterUse) => void,
  ): Promise<Result> {
    if (use.units === 0n) return 'counted';
    const place = placeOf(use, request);
    if (!(await hasRoom(place.stream))) return 'unreadable';
    const added = await addToCount(context, place, use.units, `${request.id}.${tokenOf(use)}`).catch(
      (error: unknown) => {
        if (error instanceof CountForgotten) mine(use);
        throw error;
      },
    );
    const isOver = added.total > use.max;
    if (isOver && !added.isRepeated) {
      await end(use, request, -use.units).catch((error: unknown) => {
        mine(use);
        throw error;
      });
      return 'over';
    }
    mine(use);
    // What was within the bound when it was first counted may be allowed by now, whatever the bound is today.
    if (isOver) return 'over';
    if (!added.isRepeated) return 'counted';
    const ended = await end(use, request, 0n);
    return ended.units === 0n ? 'counted' : 'unreadable';
  }

  async function look(use: CounterUse, request: Requested): Promise<'room' | 'over'> {
    const total = await readCount(context, placeOf(use, request));
    return total + use.units > use.max ? 'over' : 'room';
  }

  async function end(use: CounterUse, request: Requested, units: bigint): Promise<Added> {
    return addToCount(context, placeOf(use, request), units, `${request.id}.${tokenOf(use)}.end`);
  }

  async function undo(use: CounterUse, request: Requested): Promise<void> {
    // What was taken back before may be forgotten by now, and would be taken back twice.
    if (isTooOld(request)) return;
    const ended = await end(use, request, -use.units);
    if (ended.units !== 0n) return;
    await addToCount(context, placeOf(use, request), -use.units, `${request.id}.${tokenOf(use)}.undo`);
  }

  /** What cannot be told is refused. */
  async function certain<T>(use: CounterUse, request: Requested, tell: () => Promise<T>) {
    if (use.units > use.max) return 'over';
    if (isTooOld(request) || performance.now() < restUntil) return 'unreadable';
    try {
      return await tell();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      context.logger.warn({ err: error, rule: use.rule }, 'what a rule allows cannot be counted');
      if (!(error instanceof CountForgotten)) restUntil = performance.now() + restMs;
      return 'unreadable';
    }
  }

  return {
    async look(uses, request) {
      const refused = new Map<string, Refused>();
      for (const use of uses) {
        const result = await certain(use, request, () => look(use, request));
        if (result !== 'room') refused.set(useId(use), result);
      }
      return refused;
    },

    async take(uses, request) {
      const counted: CounterUse[] = [];
      const refused = new Map<string, Refused>();
      for (const use of uses) {
        // After one that is refused the others are not counted any more, but they may make it stricter.
        const isLost = refused.size > 0;
        const result = await certain(use, request, () =>
          isLost ? look(use, request) : count(use, request, (one) => counted.push(one)),
        );
        if (result === 'room') continue;
        context.metrics.counted.inc({ kind: use.kind, result });
        if (result !== 'counted') refused.set(useId(use), result);
      }
      return {
        refused,
        async undo() {
          for (const use of counted) await undo(use, request);
        },
      };
    },
  };
}

/** The broker may not know any more that it was counted. */
const isTooOld = ({ at }: Requested) => Date.now() - at.getTime() > countedOnceMs - marginMs;

const tokenOf = (use: CounterUse) => countToken(useId(use));

const placeOf = (use: CounterUse, { at }: Requested) => countPlace(useId(use), use.perMs, at);
