import { consumers } from '@placet/events';
import type { Jwks } from '@placet/proof';
import {
  causeId,
  done,
  proofProblem,
  type RunningService,
  type ServiceEnvironment,
  startService,
  subscribe,
  watchConsumer,
} from '@placet/runtime';
import type { Announcement, Channel } from './channel.ts';
import { createWebhookChannel } from './channels/webhook/channel.ts';
import type { NotifierConfig } from './config.ts';
import { createDeliver } from './deliver.ts';
import { openLedger } from './ledger.ts';

export function startNotifierService(
  environment: ServiceEnvironment,
  { config, trusted }: { config: NotifierConfig; trusted: Jwks },
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
      handle: async ({ event }) => {
        const announcement = event as Announcement;
        const problem = problemOf(announcement, trusted);
        if (problem === null) return deliver(announcement);
        await alarm({
          kind: 'proof_rejected',
          about: causeId(event.id),
          message: `${event.type} of ${announcement.data.action_id} is not announced: ${problem}`,
        });
        return done;
      },
      concurrency: 16,
    });
    const watched = watchConsumer({ context, alarm, resources }, consumers.notifierWebhook);
    return { unready: watched.problems };
  });
}

/** This service holds no seal key. How an approval ended it believes only of who decides, by the proof. */
function problemOf(announcement: Announcement, trusted: Jwks): string | null {
  if (announcement.type !== 'approval.closed') return null;
  return proofProblem(announcement, trusted);
}

function webhookOf({ webhookUrl, webhookSecret, webhookAllowedHosts }: NotifierConfig): Channel | null {
  if (webhookUrl === undefined || webhookSecret === undefined) return null;
  return createWebhookChannel({ url: webhookUrl, secret: webhookSecret, allowedHosts: webhookAllowedHosts });
}
