import { eventStream } from '@placet/events';
import { type BusContext, Refusal, type Resources } from '@placet/runtime';

/** New work is refused before the stream is full, so that what was accepted can still be decided. */
const shareMax = 0.9;
const lookEveryMs = 1000;

export type StreamRoom = { assert(): void; isFull(): boolean };

export async function watchStreamRoom(context: BusContext, resources: Resources): Promise<StreamRoom> {
  let full = false;
  const look = async () => {
    const { state, config } = await context.jsm.streams.info(eventStream);
    full = config.max_bytes > 0 && state.bytes >= shareMax * config.max_bytes;
  };
  await look();
  const timer = setInterval(() => {
    look().catch((error: unknown) =>
      context.logger.warn({ err: error }, 'the size of the stream is not known'),
    );
  }, lookEveryMs);
  resources.add('stream room', () => clearInterval(timer));
  return {
    isFull: () => full,
    assert() {
      if (full) throw new Refusal('STORE_FULL', { retryAfterS: 30 });
    },
  };
}
