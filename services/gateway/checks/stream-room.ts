import { eventStream, type PlacetEvent } from '@placet/events';
import type { BusContext, Resources } from '@placet/runtime';

/** New work is refused before the stream is full, so that what was accepted can still be decided. */
const shareMax = 0.9;
const lookEveryMs = 1000;
/** What follows of a request beside another copy of it: votes, a decision, notes. */
const followingBytes = 16_384;

export type StreamRoom = {
  /**
   * Counts the event until the next look at the stream, and answers how to give its room back when it was not
   * stored; null when the stream is almost full.
   */
  take(event: PlacetEvent): (() => void) | null;
};

export async function watchStreamRoom(context: BusContext, resources: Resources): Promise<StreamRoom> {
  let freeBytes = 0;
  const look = async () => {
    const { state, config } = await context.jsm.streams.info(eventStream);
    freeBytes = config.max_bytes > 0 ? shareMax * config.max_bytes - state.bytes : Number.POSITIVE_INFINITY;
  };
  await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      context.logger.warn({ err: error }, 'the size of the stream is not known'),
    );
  }, lookEveryMs);
  resources.add('stream room', () => clearInterval(timer));
  return {
    take(event) {
      if (freeBytes <= 0) return null;
      const bytes = 2 * Buffer.byteLength(JSON.stringify(event)) + followingBytes;
      freeBytes -= bytes;
      return () => {
        freeBytes += bytes;
      };
    },
  };
}
