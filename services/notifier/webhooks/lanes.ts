import { DisableWebhookAnswer, requests } from '@placet/events';
import { ask, type Resources, sleep } from '@placet/runtime';
import { type AttemptParts, attempt } from './attempt.ts';
import type { Deliveries, Delivery, DeliveryEntry } from './deliveries.ts';
import type { Endpoint } from './endpoint.ts';
import type { Settle } from './settle.ts';

/** Longer than the longest attempt: a claim that is older belongs to a sender that died. */
const claimMs = 20_000;
const lookEveryMs = 500;
/** A gateway that is behind may not know an endpoint yet for which something is owed already. */
const unknownMaxMs = 30_000;
const stopWithinMs = 2000;

type Parts = AttemptParts & {
  deliveries: Deliveries;
  settle: Settle;
  endpointOf(id: string): Endpoint | undefined;
  /** Before anything was told, an endpoint that is not known would pass for one that was deleted. */
  isKnown(): boolean;
  resources: Resources;
};
export type Lanes = ReturnType<typeof createLanes>;

/** A claim: nobody else sends it before `until`. */
export function claimed(entry: DeliveryEntry, now: number): DeliveryEntry {
  return { ...entry, status: 'sending', attempts: entry.attempts + 1, at: now, until: now + claimMs };
}

/**
 * Works off what is owed. Each endpoint has a lane of its own with so many sends at a time: one that is slow or dead
 * fills its lane, and no other's. What is owed waits in the ledger and not in the broker's consumer, which would stop
 * for everybody once it waited for too many acknowledgements.
 */
export function createLanes(parts: Parts) {
  const { context, deliveries, settle, endpointOf, isKnown, resources } = parts;
  const lanes = new Map<string, { atWork: Set<string>; due: string[] }>();
  const stopping = new AbortController();
  const callOff = new AbortController();
  const running = new Set<Promise<void>>();

  function laneOf(endpoint: string) {
    const lane = lanes.get(endpoint) ?? { atWork: new Set<string>(), due: [] };
    lanes.set(endpoint, lane);
    return lane;
  }

  /** A place in the lane of an endpoint; null when it is full. Whoever has it sends, or gives it back. */
  function reserve(endpoint: Endpoint, key: string) {
    const { atWork } = laneOf(endpoint.id);
    if (stopping.signal.aborted || atWork.size >= endpoint.sendsMax || atWork.has(key)) return null;
    atWork.add(key);
    return {
      send: (delivery: Delivery) => run(endpoint.id, key, () => send(delivery, endpoint)),
      giveBack: () => void atWork.delete(key),
    };
  }

  function run(id: string, key: string, work: () => Promise<void>): void {
    const { atWork } = laneOf(id);
    atWork.add(key);
    const one = work()
      .catch((error: unknown) => context.logger.warn({ err: error, key }, 'a delivery is left for later'))
      .finally(() => {
        atWork.delete(key);
        running.delete(one);
        goOn(id);
      });
    running.add(one);
  }

  /** Sends what was claimed already. */
  async function send(delivery: Delivery, endpoint: Endpoint): Promise<void> {
    const { sent, deadline } = await attempt(parts, delivery.entry, endpoint, callOff.signal);
    if (sent.outcome === 'gone') await disable(endpoint, sent.reason);
    await settle.after(delivery, sent, deadline);
  }

  /** A failure leaves it as it is: the next answer of the receiver says so again. */
  async function disable({ id, revision }: Endpoint, reason: string): Promise<void> {
    if (revision === undefined) return;
    const question = { id, revision, reason };
    await ask(context, requests.disableWebhook, question, DisableWebhookAnswer).catch((error: unknown) =>
      context.logger.warn({ err: error, webhook: id }, 'a webhook whose receiver is gone stays enabled'),
    );
  }

  async function workOff(delivery: Delivery): Promise<void> {
    const { key, entry, revision } = delivery;
    const now = Date.now();
    // It has ended, and who ended it did not tell.
    if (entry.status === 'sent' || entry.status === 'failed') return settle.tell(delivery);
    const endpoint = endpointOf(entry.endpoint);
    if (!endpoint && (!isKnown() || now - entry.made < unknownMaxMs)) return;
    // With another instance, the ledger decides who does it.
    const mine = await deliveries.put(key, endpoint ? claimed(entry, now) : entry, revision);
    if (!mine) return missing(delivery);
    if (endpoint) return send(mine, endpoint);
    return settle.giveUp(mine, 'The webhook was deleted or disabled before this could be sent.');
  }

  /** Another instance has it; or it waited for longer than the ledger keeps anything, and the stream its event. */
  async function missing(delivery: Delivery): Promise<void> {
    if (await deliveries.get(delivery.key)) return;
    await settle.giveUp({ ...delivery, revision: 0 }, 'It waited for longer than the stream keeps events.');
  }

  /** The next that are due of one endpoint, as many as there is room for. */
  function goOn(id: string): void {
    const lane = laneOf(id);
    const sendsMax = endpointOf(id)?.sendsMax ?? 1;
    while (lane.due.length > 0 && lane.atWork.size < sendsMax && !stopping.signal.aborted) {
      const key = lane.due.shift() ?? '';
      const delivery = deliveries.owed.get(id)?.get(key);
      if (!delivery || lane.atWork.has(key) || !isDue(delivery, Date.now())) continue;
      run(id, key, () => workOff(delivery));
    }
  }

  function look(): void {
    const now = Date.now();
    for (const [id, owed] of deliveries.owed) {
      const due = [...owed.values()].filter((delivery) => isDue(delivery, now));
      laneOf(id).due = due
        .toSorted((a, b) => (a.entry.until ?? 0) - (b.entry.until ?? 0))
        .map(({ key }) => key);
      goOn(id);
    }
  }

  const looking = (async () => {
    while (!stopping.signal.aborted) {
      await deliveries
        .follow()
        .then(look)
        .catch((error: unknown) => context.logger.warn({ err: error }, 'what is owed cannot be read now'));
      await sleep(lookEveryMs, stopping.signal);
    }
  })();

  resources.add('webhook lanes', async () => {
    stopping.abort();
    await Promise.race([Promise.all(running), sleep(stopWithinMs)]);
    // Its receiver may have it or not: the ledger has it tried again, under the same id.
    callOff.abort();
    await Promise.all([looking, ...running]);
  });

  return {
    reserve,
    owedBy: (endpoint: Endpoint): number => deliveries.owed.get(endpoint.id)?.size ?? 0,
    /** Its turn comes when those before it have had theirs. */
    queue: (endpoint: Endpoint, key: string) => void laneOf(endpoint.id).due.push(key),
    look,
  };
}

const isDue = ({ entry }: Delivery, now: number) => entry.until !== undefined && entry.until <= now;
