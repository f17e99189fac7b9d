import { consumers } from '@placet/events';
import type { Jwks } from '@placet/proof';
import {
  causeId,
  done,
  proofProblem,
  type RunningService,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  subscribe,
  watchConsumer,
} from '@placet/runtime';
import { createCards } from './cards.ts';
import type { Announcement, Channel } from './channel.ts';
import { createSlackChannel } from './channels/slack/channel.ts';
import { createWebhookChannel } from './channels/webhook/channel.ts';
import type { NotifierConfig } from './config.ts';
import { createDeliver } from './deliver.ts';
import { CardsEntry, MessageEntry, openLedger, PlaceEntry } from './ledger.ts';

type Options = { config: NotifierConfig; trusted: Jwks };

/** Without a receiver the messages of a channel stay in the stream, and are delivered when there is one. */
export function startNotifierService(
  environment: ServiceEnvironment,
  options: Options,
): Promise<RunningService> {
  return startService('notifier', environment, async (parts) => {
    const problems = [await deliverWebhooks(parts, options), await showInSlack(parts, options)];
    return { unready: () => problems.flatMap((one) => one()) };
  });
}

type Problems = () => string[];
const none: Problems = () => [];

async function deliverWebhooks(
  { context, bus, alarm, resources }: ServiceParts,
  { config, trusted }: Options,
): Promise<Problems> {
  const channel = webhookOf(config);
  if (!channel) return none;
  resources.add('webhook channel', () => channel.close());
  const ledger = await openLedger(context, MessageEntry);
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
  return watchConsumer({ context, alarm, resources }, consumers.notifierWebhook).problems;
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

async function showInSlack(
  { context, bus, alarm, resources }: ServiceParts,
  { config, trusted }: Options,
): Promise<Problems> {
  const { slackBotToken: botToken, slackApiUrl: apiUrl } = config;
  if (botToken === undefined) return none;
  const places = await openLedger(context, PlaceEntry);
  const channel = createSlackChannel({ botToken, apiUrl, places });
  resources.add('slack channel', () => channel.close());
  const ledger = await openLedger(context, CardsEntry);
  subscribe(context, bus, alarm, resources, {
    spec: consumers.notifierSlack,
    handle: createCards({ context, bus, ledger, channel, trusted }),
    concurrency: 16,
  });
  return watchConsumer({ context, alarm, resources }, consumers.notifierSlack).problems;
}
