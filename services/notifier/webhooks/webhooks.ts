import { consumers, type WebhookEvent } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { Resources, type ServiceParts, sleep, subscribe, watchConsumer } from '@placet/runtime';
import type { NotifierConfig } from '../config.ts';
import { openDeliveries } from './deliveries.ts';
import { createDirectory, type Endpoints } from './directory.ts';
import { type Endpoint, endpointOfSettings } from './endpoint.ts';
import { createFanOut } from './fan-out.ts';
import { createLanes } from './lanes.ts';
import { answerQuestions } from './questions.ts';
import { createWebhookSender } from './send.ts';
import { createSettle } from './settle.ts';

const lookEveryMs = 1000;
const none: Endpoints = new Map();

type Options = { config: NotifierConfig; trusted: Jwks };

/** Tells other systems: the one of the settings, those of the API, and agents that have themselves called back. */
export async function startWebhooks(
  service: ServiceParts,
  { config, trusted }: Options,
): Promise<{ problems: () => string[]; isAnnounced: () => boolean }> {
  const { context, bus, alarm, resources } = service;
  const { webhookAllowedHosts: allowedHosts, webhookTimeoutMs: timeoutMs, secretBox: box } = config;
  const sender = createWebhookSender({ allowedHosts, timeoutMs });
  resources.add('webhook sender', () => sender.close());
  const own = ofSettings(config);
  const directory = createDirectory(context, box);
  const deliveries = await openDeliveries(context);
  const endpointOf = (id: string) => own.find((one) => one.id === id) ?? directory.known()?.get(id);
  const isKnown = () => directory.known() !== undefined;
  const settle = createSettle({ context, bus, deliveries });
  const lanes = createLanes({ context, trusted, sender, deliveries, settle, endpointOf, isKnown, resources });
  answerQuestions(service, { deliveries, lanes, sender, box });
  const handle = createFanOut({ context, alarm, trusted, own, directory, deliveries, lanes });
  const wanted = () =>
    new Set([...own, ...(directory.known() ?? none).values()].flatMap(({ types }) => types));

  const following = [
    readWhileWanted(service, { spec: consumers.notifierWebhook, handle, concurrency: 64 }, () =>
      [...wanted()].some((type: WebhookEvent) => type !== 'action.decided'),
    ),
    readWhileWanted(service, { spec: consumers.notifierDecided, handle, concurrency: 256 }, () =>
      wanted().has('action.decided'),
    ),
  ];
  followDirectory(service, directory, () => Promise.all(following.map((look) => look())));
  const watches = [consumers.notifierWebhook, consumers.notifierDecided].map((spec) =>
    watchConsumer(service, spec),
  );
  await Promise.all(following.map((look) => look()));
  return {
    problems: () => watches.flatMap((watch) => watch.problems()),
    /** Whether somebody is told of approvals this way. */
    isAnnounced: () => wanted().has('approval.needed'),
  };
}

function ofSettings({ webhookUrl: url, webhookSecret: secret }: NotifierConfig): Endpoint[] {
  return url === undefined || secret === undefined ? [] : [endpointOfSettings({ url, secret })];
}

/**
 * Reads a consumer only while somebody wants what it delivers: until then it costs nothing. What waits in it by then is
 * worked off, and is older than what anybody asked for.
 */
function readWhileWanted(
  { context, bus, alarm, resources }: ServiceParts,
  subscription: Parameters<typeof subscribe>[4],
  isWanted: () => boolean,
): () => Promise<void> {
  let reading: Resources | undefined;
  resources.add(`reading of ${subscription.spec.durable}`, () => reading?.close());
  return async () => {
    const wanted = isWanted();
    if (wanted === (reading !== undefined)) return;
    if (reading) {
      const before = reading;
      reading = undefined;
      await before.close();
      return;
    }
    reading = new Resources(context.logger);
    subscribe(context, bus, alarm, reading, subscription);
  };
}

function followDirectory(
  { context, resources }: ServiceParts,
  directory: ReturnType<typeof createDirectory>,
  onLook: () => Promise<unknown>,
): void {
  const stopping = new AbortController();
  const following = (async () => {
    while (!stopping.signal.aborted) {
      await directory
        .after(Number.POSITIVE_INFINITY)
        .then(onLook)
        .catch((error: unknown) =>
          context.logger.debug({ err: error }, 'who is to be told is not known yet'),
        );
      await sleep(lookEveryMs, stopping.signal);
    }
  })();
  resources.add('directory of webhooks', async () => {
    stopping.abort();
    await following;
  });
}
