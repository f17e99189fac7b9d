import {
  DeliveriesQuestion,
  RedeliverQuestion,
  requests,
  TestWebhookQuestion,
  type WebhookDelivery,
} from '@placet/events';
import type { SecretBox } from '@placet/proof';
import { answer, defined, Refusal, type ServiceParts, Unavailable } from '@placet/runtime';
import { type Deliveries, type Delivery, deliveryKey } from './deliveries.ts';
import type { Lanes } from './lanes.ts';
import type { WebhookSender } from './send.ts';
import { tryOut } from './trial.ts';

type Parts = { deliveries: Deliveries; lanes: Lanes; sender: WebhookSender; box: SecretBox | undefined };

/** What the gateway asks for those who look after webhooks. */
export function answerQuestions(service: ServiceParts, { deliveries, lanes, sender, box }: Parts): void {
  answer(service, requests.deliveries, DeliveriesQuestion, async ({ webhook, ...wanted }) => {
    await deliveries.follow();
    return { deliveries: deliveries.log(webhook, wanted).map(view) };
  });

  answer(service, requests.redeliver, RedeliverQuestion, async ({ webhook, delivery: id }) => {
    const found = /^[0-9a-f]{32}$/.test(id) ? await deliveries.get(deliveryKey(webhook, id)) : null;
    if (!found) throw new Refusal('NOT_FOUND', { message: `This webhook has no delivery ${id}.` });
    const now = Date.now();
    // It is being sent.
    if (found.entry.status === 'sending' && (found.entry.until ?? 0) > now) return view(found);
    const { error: _, http_status: __, ...before } = found.entry;
    const again = { ...before, status: 'waiting', attempts: 0, at: now, until: now } as const;
    const owed = await deliveries.put(found.key, again, found.revision);
    if (!owed) throw new Unavailable('somebody else changed this delivery at the same moment');
    lanes.look();
    return view(owed);
  });

  answer(service, requests.testWebhook, TestWebhookQuestion, ({ target }) => tryOut(target, { sender, box }));
}

function view({ key, entry }: Delivery): WebhookDelivery {
  const { event, type, action_id, agent, status, attempts, error, http_status } = entry;
  const isWaiting = status === 'waiting' && entry.until !== undefined;
  return {
    id: key.split('.').at(-1) ?? '',
    event,
    type,
    action_id,
    agent,
    created_at: new Date(entry.made).toISOString(),
    status,
    attempts,
    at: new Date(entry.at).toISOString(),
    ...defined({
      next_at: isWaiting ? new Date(entry.until ?? 0).toISOString() : undefined,
      error,
      http_status,
    }),
  };
}
