import { eventStream } from '@placet/events';
import { type BusContext, Refusal } from '@placet/runtime';

/** As the gateway takes no new requests then: what is left is for deciding what was accepted. */
const shareMax = 0.9;
const lookEveryMs = 1000;

export type Room = {
  /** Refuses what is large and decides nothing, while the stream is almost full. */
  refuseIfFull(): Promise<void>;
};

export function createRoom({ jsm }: Pick<BusContext, 'jsm'>): Room {
  let isFull = false;
  let lookedAt = 0;
  return {
    async refuseIfFull() {
      if (Date.now() - lookedAt > lookEveryMs) {
        const { state, config } = await jsm.streams.info(eventStream);
        isFull = config.max_bytes > 0 && state.bytes > shareMax * config.max_bytes;
        lookedAt = Date.now();
      }
      if (isFull) throw new Refusal('STORE_FULL', { retryAfterS: 30 });
    },
  };
}
