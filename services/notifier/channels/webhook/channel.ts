import type { Channel, Delivery } from '../../channel.ts';
import { retryDelayMs } from './retry-schedule.ts';
import { createWebhookSender } from './send.ts';

export type WebhookConfig = { url: string; secret: string; allowedHosts: readonly string[] };

export function createWebhookChannel({ url, secret, allowedHosts }: WebhookConfig): Channel {
  const sender = createWebhookSender({ allowedHosts });
  return {
    kind: 'webhook',
    // The path of an address may hold a secret of its receiver's.
    target: new URL(url).origin,
    async send(announcement, id, now): Promise<Delivery> {
      const sent = await sender.send({ url, secrets: [secret], id, body: JSON.stringify(announcement), now });
      switch (sent.outcome) {
        case 'delivered':
          return { outcome: 'delivered' };
        case 'retry':
          return sent;
        case 'gone':
        case 'refused':
          return { outcome: 'failed', reason: sent.reason };
        default:
          return sent satisfies never;
      }
    },
    retryDelayMs: (attempts) => retryDelayMs(attempts, Math.random()),
    close: () => sender.close(),
  };
}
