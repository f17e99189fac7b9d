import { consumers } from '@placet/events';
import type { Jwks } from '@placet/proof';
import {
  type RunningService,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  subscribe,
  watchConsumer,
} from '@placet/runtime';
import { createCards } from './cards.ts';
import { createSlackChannel } from './channels/slack/channel.ts';
import type { NotifierConfig } from './config.ts';
import { CardsEntry, openLedger, PlaceEntry } from './ledger.ts';
import { startWebhooks } from './webhooks/webhooks.ts';

type Options = { config: NotifierConfig; trusted: Jwks };

/** Without a receiver the messages of a channel stay in the stream, and are delivered when there is one. */
export function startNotifierService(
  environment: ServiceEnvironment,
  options: Options,
): Promise<RunningService> {
  return startService('notifier', environment, async (parts) => {
    const problems = [await startWebhooks(parts, options), await showInSlack(parts, options)];
    return { unready: () => problems.flatMap((one) => one()) };
  });
}

type Problems = () => string[];
const none: Problems = () => [];

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
