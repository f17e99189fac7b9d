import { Kvm } from '@nats-io/kv';
import { bucketSubject, cardsBucket, type deliveriesBucket } from '@placet/events';
import { type BusContext, isFull, isLostRace, StoreFull, ttlUntil, Unavailable } from '@placet/runtime';
import * as z from 'zod';
import { clocksDifferMs } from './pace.ts';

const Slot = z.object({
  /** `sending`: it may be there or not. */
  status: z.enum(['sending', 'waiting', 'shown', 'failed']),
  /** Since it was last shown. */
  attempts: z.number().int(),
  at: z.number(),
  /** When it is tried again. */
  until: z.number().optional(),
  /** What is left to be said of this state of the approval waits for its turn. */
  waits: z.number().int().optional(),
  /** When the first began of whom nobody knows whether they have sent. */
  begun: z.number().optional(),
  error: z.string().optional(),
  /** How what was sent is found again. */
  handle: z.string().optional(),
  /** Which state of the approval it shows; of what may have been sent, the state when that was first begun. */
  version: z.number().int().optional(),
  /** Which one it could not be brought to show, for good; told as failed. Of what may have been sent: as it was told. */
  refused: z.number().int().optional(),
});
/** A place where an approval stands, or is to stand. */
export type Slot = z.infer<typeof Slot>;

/** All the places in one kind of channel. */
export const CardsEntry = z.object({
  /** Somebody is at it, or was until they died. */
  claimed: z.boolean(),
  /** When nobody needs to be told any more that they are asked; null where nobody is asked any more. */
  deadline: z.number().nullable(),
  /** The newest state of the approval that anybody has worked from. */
  seen: z.number().int().optional(),
  slots: z.record(z.string(), Slot),
});
export type CardsEntry = z.infer<typeof CardsEntry>;

/** When there is something to be done. The time of a clock that is far ahead of ours is not waited for. */
export const dueAt = ({ at, until = 0 }: Slot, now: number) => (at > now + clocksDifferMs ? 0 : until);

/**
 * A claim that has been seen for so long unchanged is of somebody who has died: nobody else's clock is needed for that. It
 * is longer than the longest step.
 */
export const claimMs = 30_000;

/** What a vendor calls a place, and we learned when we first sent there. */
export const PlaceEntry = z.object({ id: z.string() });
export type PlaceEntry = z.infer<typeof PlaceEntry>;

export type Ledger<Entry> = {
  get(key: string): Promise<{ entry: Entry; revision: number } | null>;
  /** False when somebody else changed the entry meanwhile. With an end it is kept until then, in the bucket of cards. */
  put(key: string, entry: Entry, expected: number, end?: Date): Promise<number | false>;
};

/** What became of each delivery, so that a restart neither forgets nor repeats one. */
export async function openLedger<Entry>(
  context: BusContext,
  schema: z.ZodType<Entry>,
  bucket: typeof cardsBucket | typeof deliveriesBucket = cardsBucket,
): Promise<Ledger<Entry>> {
  const kv = await new Kvm(context.js).open(bucket);
  const { apiPrefix } = context.js;
  // Where the API of the broker is imported into an account, so is the way to write to its buckets.
  const via = apiPrefix === '$JS.API' ? '' : `${apiPrefix}.`;
  return {
    async get(key) {
      const found = await kv.get(key).catch((error: unknown) => {
        throw new Unavailable('the ledger of deliveries cannot be read', { cause: error });
      });
      if (found?.operation !== 'PUT') return null;
      return { entry: schema.parse(found.json()), revision: found.revision };
    },
    async put(key, entry, expected, end) {
      const expect = { lastSubjectSequence: expected };
      const options = end ? { expect, ttl: ttlUntil(end) } : { expect };
      try {
        return (await context.js.publish(via + bucketSubject(bucket, key), JSON.stringify(entry), options))
          .seq;
      } catch (error) {
        if (isLostRace(error)) return false;
        if (isFull(error)) throw new StoreFull(`there is no room in ${bucket}`, { cause: error });
        throw new Unavailable('the ledger of deliveries cannot be written', { cause: error });
      }
    },
  };
}
