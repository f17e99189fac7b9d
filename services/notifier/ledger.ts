import { JetStreamApiError } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { deliveriesBucket } from '@placet/events';
import { type BusContext, Unavailable } from '@placet/runtime';
import * as z from 'zod';

const Entry = z.object({
  status: z.enum(['sending', 'waiting', 'sent', 'failed']),
  attempts: z.number().int(),
  at: z.number(),
  /** When a next attempt is due; for one that is being sent, when its sender counts as dead. */
  until: z.number().optional(),
  error: z.string().optional(),
});
export type LedgerEntry = z.infer<typeof Entry>;
export type Ledger = {
  get(key: string): Promise<{ entry: LedgerEntry; revision: number } | null>;
  /** False when somebody else changed the entry meanwhile. */
  put(key: string, entry: LedgerEntry, expected: number): Promise<number | false>;
};

/** What became of each delivery, so that a restart neither forgets nor repeats one. */
export async function openLedger(context: BusContext): Promise<Ledger> {
  const kv = await new Kvm(context.js).open(deliveriesBucket);
  return {
    async get(key) {
      const found = await kv.get(key).catch((error: unknown) => {
        throw new Unavailable('the ledger of deliveries cannot be read', { cause: error });
      });
      if (found?.operation !== 'PUT') return null;
      return { entry: Entry.parse(found.json()), revision: found.revision };
    },
    async put(key, entry, expected) {
      try {
        return await kv.put(key, JSON.stringify(entry), { previousSeq: expected });
      } catch (error) {
        if (error instanceof JetStreamApiError && (error.code === 10071 || error.code === 10164))
          return false;
        throw new Unavailable('the ledger of deliveries cannot be written', { cause: error });
      }
    },
  };
}
