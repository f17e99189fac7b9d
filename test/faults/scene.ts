import type { Place } from './asking.ts';
import type { Note } from './notes.ts';
import type { Random } from './random.ts';

/** What all who ask in one phase share. */
export type Scene = {
  gateways: readonly [Place, ...Place[]];
  notes: Note[];
  random: Random;
  /** How long an agent rests between two requests. */
  restMs: { from: number; to: number };
  /** Nobody begins anything new from then on. */
  stopping: AbortSignal;
};

/** Runs tasks beside each other, up to a limit, and waits for them in the end. */
export function createTasks(max: number) {
  const running = new Set<Promise<void>>();
  return {
    isFull: () => running.size >= max,
    add(task: () => Promise<void>): void {
      const one = task().finally(() => running.delete(one));
      running.add(one);
    },
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
