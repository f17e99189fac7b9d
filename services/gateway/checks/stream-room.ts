import { eventStream, type PlacetEvent, requests, UndecidedAnswer } from '@placet/events';
import { ask, type BusContext, type Resources } from '@placet/runtime';

/** New work is refused before the stream is full, so that what was accepted can still be decided. */
const shareMax = 0.9;
const lookEveryMs = 1000;
/** What is still owed of an accepted action: votes with long comments, the decision, its proof, the closing. */
const owedBytes = 40_960;

export type StreamRoom = {
  /**
   * Counts the event until the next look at the stream, and answers how to give its room back when it was not
   * stored; null when the stream is almost full.
   */
  take(event: PlacetEvent): (() => void) | null;
  /** How long the stream keeps an action. What waits longer would be forgotten before it ends. */
  keptMs(): number;
};

export async function watchStreamRoom(context: BusContext, resources: Resources): Promise<StreamRoom> {
  let freeBytes = 0;
  let undecided = 0;
  let keptMs = Number.POSITIVE_INFINITY;
  const look = async () => {
    // While nobody can say it, what was known last is taken.
    undecided = await countUndecided(context).catch(() => undecided);
    const { state, config } = await context.jsm.streams.info(eventStream);
    keptMs = config.max_age === 0 ? Number.POSITIVE_INFINITY : config.max_age / 1e6;
    const cap = config.max_bytes > 0 ? config.max_bytes : Number.POSITIVE_INFINITY;
    freeBytes = Math.min(shareMax * cap, cap - undecided * owedBytes) - state.bytes;
  };
  await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      context.logger.warn({ err: error }, 'the size of the stream is not known'),
    );
  }, lookEveryMs);
  resources.add('stream room', () => clearInterval(timer));
  return {
    keptMs: () => keptMs,
    take(event) {
      if (freeBytes <= 0) return null;
      const bytes = 2 * Buffer.byteLength(JSON.stringify(event)) + owedBytes;
      freeBytes -= bytes;
      return () => {
        freeBytes += bytes;
      };
    },
  };
}

async function countUndecided(context: BusContext): Promise<number> {
  return (await ask(context, requests.undecided, {}, UndecidedAnswer, 1000)).count;
}
