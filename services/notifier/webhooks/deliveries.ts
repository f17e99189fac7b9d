import { DeliveryStatus, deliveriesBucket, deliveriesMax, WebhookEvent } from '@placet/events';
import { type BusContext, causeId } from '@placet/runtime';
import * as z from 'zod';
import { type Ledger, openLedger } from '../ledger.ts';
import { followLedger } from '../ledger-follow.ts';

/** What became of one event at one endpoint. */
export const DeliveryEntry = z.object({
  status: DeliveryStatus,
  attempts: z.number().int(),
  /** When it was first owed. */
  made: z.number(),
  at: z.number(),
  /**
   * When the next attempt is due; for one that is being sent, when its sender counts as dead; for one that has ended,
   * when it is told once more, because who ended it may have died before telling.
   */
  until: z.number().optional(),
  error: z.string().optional(),
  http_status: z.number().int().optional(),
  endpoint: z.string(),
  target: z.string(),
  event: z.string(),
  type: WebhookEvent,
  subject: z.string(),
  seq: z.number().int(),
  action_id: z.string(),
  agent: z.string(),
  case: z.string().optional(),
});
export type DeliveryEntry = z.infer<typeof DeliveryEntry>;
export type Delivery = { key: string; entry: DeliveryEntry; revision: number };

const prefix = 'webhook';
/** An id of an event may be any text; a key of the ledger may not. */
export const deliveryId = (event: string) => causeId(event);
export const deliveryKey = (endpoint: string, id: string) => `${prefix}.${endpoint}.${id}`;

export type Deliveries = Awaited<ReturnType<typeof openDeliveries>>;

/**
 * The ledger of what is owed, followed in memory: of each endpoint what is still owed, and the newest of its log.
 */
export async function openDeliveries(context: BusContext) {
  const ledger: Ledger<DeliveryEntry> = await openLedger(context, DeliveryEntry, deliveriesBucket);
  const owed = new Map<string, Map<string, Delivery>>();
  const logs = new Map<string, { newest: Map<string, Delivery>; failed: Map<string, Delivery> }>();

  function learn(delivery: Delivery): void {
    const { key, entry, revision } = delivery;
    const owedHere = owed.get(entry.endpoint) ?? new Map<string, Delivery>();
    const log = logs.get(entry.endpoint) ?? { newest: new Map(), failed: new Map() };
    const before = owedHere.get(key) ?? log.newest.get(key) ?? log.failed.get(key);
    if (before && before.revision >= revision) return;
    owed.set(entry.endpoint, owedHere);
    if (entry.until === undefined) owedHere.delete(key);
    else owedHere.set(key, delivery);
    if (!hasLog(entry.endpoint)) return;
    logs.set(entry.endpoint, log);
    remember(log.newest, delivery);
    if (entry.status === 'failed') remember(log.failed, delivery);
    else log.failed.delete(key);
  }

  const followed = { bucket: deliveriesBucket, prefix, schema: DeliveryEntry } as const;
  const follow = followLedger(context, followed, (key, entry, revision) => learn({ key, entry, revision }));

  return {
    owed: owed as ReadonlyMap<string, ReadonlyMap<string, Delivery>>,

    get: async (key: string): Promise<Delivery | null> => {
      const found = await ledger.get(key);
      return found && { key, ...found };
    },

    /** Null when somebody else changed it meanwhile. */
    async put(key: string, entry: DeliveryEntry, expected: number): Promise<Delivery | null> {
      const revision = await ledger.put(key, entry, expected);
      if (revision === false) return null;
      const delivery = { key, entry, revision };
      learn(delivery);
      return delivery;
    },

    /** Learns what others have changed. */
    follow,

    log(endpoint: string, { failed, limit }: { failed: boolean; limit: number }): Delivery[] {
      const log = logs.get(endpoint);
      const all = [...((failed ? log?.failed : log?.newest)?.values() ?? [])];
      return all.toSorted((a, b) => b.entry.seq - a.entry.seq).slice(0, limit);
    },
  };
}

/** Nobody can ask for that of the settings, or of an agent's callbacks. */
const hasLog = (endpoint: string) => endpoint.startsWith('wh_');

/** The latest to change are kept. */
function remember(some: Map<string, Delivery>, delivery: Delivery): void {
  some.delete(delivery.key);
  some.set(delivery.key, delivery);
  const oldest = some.keys().next();
  if (some.size > deliveriesMax && !oldest.done) some.delete(oldest.value);
}
