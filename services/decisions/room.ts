import { eventStream } from '@placet/events';
import { type BusContext, Refusal } from '@placet/runtime';

/** As the gateway takes no new requests then: what is left is for deciding what was accepted. */
const shareMax = 0.9;
const lookEveryMs = 1000;

/** At most so much becomes of it: a change is two payloads, its own and the one that the policy judges. */
const bytesOf = { comment: 20_000, edit: 600_000 } as const;

export type Room = {
  /** Refuses what is large and decides nothing, while the stream is almost full; counts it until the next look. */
  takeFor(what: keyof typeof bytesOf): Promise<void>;
};

export function createRoom({ jsm }: Pick<BusContext, 'jsm'>): Room {
  let freeBytes = 0;
  let lookedAt = 0;
  return {
    async takeFor(what) {
      if (Date.now() - lookedAt > lookEveryMs) {
        const { state, config } = await jsm.streams.info(eventStream);
        freeBytes =
          (config.max_bytes > 0 ? shareMax * config.max_bytes : Number.POSITIVE_INFINITY) - state.bytes;
        lookedAt = Date.now();
      }
      if (freeBytes <= 0) throw new Refusal('STORE_FULL', { retryAfterS: 30 });
      freeBytes -= bytesOf[what];
    },
  };
}
