import { requests, WebhooksAnswer } from '@placet/events';
import type { SecretBox } from '@placet/proof';
import { ask, type BusContext, sleep, Unavailable } from '@placet/runtime';
import { type Endpoint, endpointOfCallback, endpointOfWebhook } from './endpoint.ts';

/** No more than so often the gateway is asked; it answers in a few bytes when nothing has changed. */
const pauseMs = 50;
const answerWithinMs = 1000;
/** By how much the clock of who wrote an event may be off. */
const clocksMs = 5000;

export type Endpoints = ReadonlyMap<string, Endpoint>;
export type Directory = ReturnType<typeof createDirectory>;

/**
 * Who is told, which the gateway alone knows. For an event it is asked after the event came, so that whoever was added
 * before misses none. While no gateway answers nobody is added either, and what was known last is right.
 */
export function createDirectory(context: BusContext, box: SecretBox | undefined) {
  let known: { version: string; endpoints: Endpoints; asOf: number } | undefined;
  let next: Promise<void> | undefined;
  let begunAt = 0;

  async function learn(): Promise<void> {
    const asOf = Date.now();
    begunAt = asOf;
    const question = known === undefined ? {} : { known: known.version };
    const { version, targets } = await ask(
      context,
      requests.webhooks,
      question,
      WebhooksAnswer,
      answerWithinMs,
    );
    // An earlier question may be answered later.
    if (known !== undefined && known.asOf > asOf) return;
    if (targets) known = { version, endpoints: endpointsOf(targets, box), asOf };
    else if (known?.version === version) known.asOf = asOf;
  }

  /** One question for all who wait for it to be asked. */
  function askNext(): Promise<void> {
    next ??= (async () => {
      await sleep(Math.max(0, begunAt + pauseMs - Date.now()));
      next = undefined;
      await learn();
    })();
    return next;
  }

  return {
    /** As it was known last. */
    known: (): Endpoints | undefined => known?.endpoints,

    async after(moment: number): Promise<Endpoints> {
      if (known !== undefined && known.asOf >= moment + clocksMs) return known.endpoints;
      try {
        await askNext();
      } catch (error) {
        context.logger.debug({ err: error }, 'no gateway tells who is to be told');
      }
      if (known === undefined) throw new Unavailable('no gateway has told yet who is to be told');
      return known.endpoints;
    },
  };
}

function endpointsOf(
  { webhooks, callbacks }: NonNullable<WebhooksAnswer['targets']>,
  box: SecretBox | undefined,
): Endpoints {
  const all = [
    ...webhooks.map((target) => endpointOfWebhook(target, box)),
    ...callbacks.map((target) => endpointOfCallback(target, box)),
  ];
  return new Map(all.map((endpoint) => [endpoint.id, endpoint]));
}
