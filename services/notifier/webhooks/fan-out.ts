import type { Jwks } from '@placet/proof';
import {
  type BusContext,
  causeId,
  type Delivered,
  done,
  type Outcome,
  type RaiseAlarm,
} from '@placet/runtime';
import { type Announcement, isAnnouncement, problemOf } from './announcement.ts';
import { requestReader } from './attempt.ts';
import { type Deliveries, type DeliveryEntry, deliveryId, deliveryKey } from './deliveries.ts';
import type { Directory } from './directory.ts';
import type { Endpoint } from './endpoint.ts';
import { claimed, type Lanes } from './lanes.ts';

/** What a receiver that is away for long misses beyond this is in the log as failed, and can be sent again. */
const owedMax = 10_000;

type Parts = {
  context: BusContext;
  alarm: RaiseAlarm;
  trusted: Jwks;
  /** Of the settings, known without asking. */
  own: readonly Endpoint[];
  directory: Directory;
  deliveries: Deliveries;
  lanes: Lanes;
};

/**
 * Writes down for each endpoint that wants to be told of an event that it is owed to it, and does not wait for any of
 * them. Twice is once: the second finds it written.
 */
export function createFanOut({ context, alarm, trusted, own, directory, deliveries, lanes }: Parts) {
  return async ({ event, subject, seq }: Delivered): Promise<Outcome> => {
    if (!isAnnouncement(event)) return done;
    const problem = problemOf(event, trusted);
    if (problem !== null) {
      await alarm({
        kind: 'proof_rejected',
        about: causeId(event.id),
        message: `${event.type} of ${event.data.action_id} is not announced: ${problem}`,
      });
      return done;
    }
    const request = requestReader(context, event.data);
    const oweTo = async (endpoint: Endpoint) => {
      const target = await endpoint.targetOf(event, request);
      if (target !== null) await owe(endpoint, entryOf(event, endpoint, { target, subject, seq }));
    };
    for (const endpoint of own) await oweTo(endpoint);
    const endpoints = await directory.after(Date.parse(event.time));
    for (const endpoint of endpoints.values()) await oweTo(endpoint);
    return done;
  };

  async function owe(endpoint: Endpoint, entry: DeliveryEntry): Promise<void> {
    const key = deliveryKey(endpoint.id, deliveryId(entry.event));
    const now = Date.now();
    if (lanes.owedBy(endpoint) >= owedMax) {
      const error = `${owedMax} deliveries wait for this receiver already, which is the most.`;
      await deliveries.put(key, { ...entry, status: 'failed', error, until: now }, 0);
      return;
    }
    const place = lanes.reserve(endpoint, key);
    if (place) return sendNow(key, claimed(entry, now), place);
    if (await deliveries.put(key, { ...entry, until: now }, 0)) lanes.queue(endpoint, key);
  }

  async function sendNow(key: string, claim: DeliveryEntry, place: Reserved): Promise<void> {
    try {
      const delivery = await deliveries.put(key, claim, 0);
      // Null: it was written down before.
      if (delivery) place.send(delivery);
      else place.giveBack();
    } catch (error) {
      place.giveBack();
      throw error;
    }
  }
}

type Reserved = NonNullable<ReturnType<Lanes['reserve']>>;

function entryOf(
  event: Announcement,
  endpoint: Endpoint,
  where: { target: string; subject: string; seq: number },
): DeliveryEntry {
  const now = Date.now();
  const { action_id, agent } = event.data;
  return {
    status: 'waiting',
    attempts: 0,
    made: now,
    at: now,
    endpoint: endpoint.id,
    ...where,
    event: event.id,
    type: event.type,
    action_id,
    agent,
    ...(event.data.case === undefined ? {} : { case: event.data.case }),
  };
}
