import { consumers, eventStream, makeEvent } from '@placet/events';
import { type Bus, type BusContext, causeId, newId } from '@placet/runtime';
import { createTell } from '../tell.ts';
import type { Deliveries, Delivery, DeliveryEntry } from './deliveries.ts';
import type { Endpoint } from './endpoint.ts';
import type { WebhookOutcome } from './outcome.ts';
import { retryDelayMs } from './retry-schedule.ts';

/** How soon what has ended is told again, when it could not be told. */
const tellAgainMs = 5000;

type SettleParts = { context: BusContext; bus: Bus; deliveries: Deliveries };
export type Settle = ReturnType<typeof createSettle>;

/** Writes down what became of an attempt, and tells how a delivery ended. */
export function createSettle({ context, bus, deliveries }: SettleParts) {
  const tellers = { webhook: createTell(bus, 'webhook'), callback: createTell(bus, 'callback') };
  const kindOf = (entry: DeliveryEntry): Endpoint['kind'] =>
    entry.endpoint.startsWith('agent-') ? 'callback' : 'webhook';
  const count = (entry: DeliveryEntry, result: string) =>
    context.metrics.notifications.inc({ channel: kindOf(entry), result });

  /** What has ended is written down first, and that it was told last: who dies in between tells again. */
  async function end(delivery: Delivery, ending: Partial<DeliveryEntry>): Promise<void> {
    const { error: _, http_status: __, until: ___, ...before } = delivery.entry;
    const at = Date.now();
    const entry = { ...before, ...ending, at, until: at + tellAgainMs };
    const ended = await deliveries.put(delivery.key, entry, delivery.revision);
    if (!ended) return;
    count(entry, entry.status);
    await tell(ended);
  }

  /** Telling twice is once. */
  async function tell(ended: Delivery): Promise<void> {
    const { until: _, ...entry } = ended.entry;
    const { status, target, attempts, event, type, action_id, agent, error = '' } = entry;
    const told = { action_id, agent, target, attempts, about: event, about_type: type };
    const where = { ...told, case: entry.case, place: entry.endpoint };
    if (status === 'failed') {
      await tellers[kindOf(entry)].failed({ ...where, error });
      context.logger.error({ channel: kindOf(entry), target, actionId: action_id }, `given up: ${error}`);
      await bus.note(deathOf(entry, error), causeId(consumerOf(entry), entry.seq, entry.endpoint));
    } else {
      await tellers[kindOf(entry)].sent(where);
    }
    await deliveries.put(ended.key, entry, ended.revision);
  }

  function giveUp(delivery: Delivery, error: string, status?: number): Promise<void> {
    return end(delivery, {
      status: 'failed',
      error,
      ...(status === undefined ? {} : { http_status: status }),
    });
  }

  async function after(delivery: Delivery, sent: WebhookOutcome, deadline: number): Promise<void> {
    switch (sent.outcome) {
      case 'delivered':
        return end(delivery, { status: 'sent', http_status: sent.status });
      case 'gone':
        return giveUp(delivery, sent.reason, sent.status);
      case 'refused':
        return giveUp(delivery, sent.reason);
      case 'retry': {
        const { target, attempts } = delivery.entry;
        const scheduledMs = retryDelayMs(attempts, Math.random());
        const delayMs = scheduledMs === null ? null : Math.max(scheduledMs, sent.retryAfterMs ?? 0);
        const at = Date.now();
        if (delayMs === null || at + delayMs >= deadline) return giveUp(delivery, sent.reason, sent.status);
        count(delivery.entry, 'retry');
        context.logger.warn({ channel: kindOf(delivery.entry), target, attempts, delayMs }, sent.reason);
        const { http_status: _, ...before } = delivery.entry;
        const answered = sent.status === undefined ? {} : { http_status: sent.status };
        const waiting = { ...before, ...answered, status: 'waiting', at, error: sent.reason } as const;
        await deliveries.put(delivery.key, { ...waiting, until: at + delayMs }, delivery.revision);
        return;
      }
      default:
        return sent satisfies never;
    }
  }

  return { after, giveUp, tell };
}

const consumerOf = ({ type }: DeliveryEntry) =>
  (type === 'action.decided' ? consumers.notifierDecided : consumers.notifierWebhook).durable;

function deathOf(entry: DeliveryEntry, reason: string) {
  const { seq, subject, attempts: deliveries } = entry;
  return makeEvent('message.dead', {
    service: 'notifier',
    id: newId(),
    now: new Date(),
    data: { stream: eventStream, consumer: consumerOf(entry), seq, subject, deliveries, reason },
  });
}
