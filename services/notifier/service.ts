import { consumers } from '@placet/events';
import { type RunningService, type ServiceEnvironment, startService, subscribe } from '@placet/runtime';
import type { Announcement, Channel } from './channel.ts';
import { createWebhookChannel } from './channels/webhook/channel.ts';
import type { NotifierConfig } from './config.ts';
import { createDeliver } from './deliver.ts';
import { openLedger } from './ledger.ts';

export function startNotifierService(
  environment: ServiceEnvironment,
  { config }: { config: NotifierConfig },
): Promise<RunningService> {
  return startService('notifier', environment, async ({ context, bus, alarm, resources }) => {
    const channel = webhookOf(config);
    // Without a receiver the messages stay in the stream, and are delivered when there is one.
    if (!channel) return {};
    resources.add('webhook channel', () => channel.close());
    const ledger = await openLedger(context);
    const deliver = createDeliver({ context, bus, ledger, channel });
    subscribe(context, bus, alarm, resources, {
      spec: consumers.notifierWebhook,
      handle: ({ event }) => deliver(event as Announcement),
      concurrency: 16,
    });
    return {};
  });
}

function webhookOf({ webhookUrl, webhookSecret, webhookAllowedHosts }: NotifierConfig): Channel | null {
  if (webhookUrl === undefined || webhookSecret === undefined) return null;
  return createWebhookChannel({ url: webhookUrl, secret: webhookSecret, allowedHosts: webhookAllowedHosts });
}
