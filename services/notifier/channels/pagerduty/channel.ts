import { newId } from '@placet/runtime';
import * as z from 'zod';
import type { CardChannel, Check, Sent, Updated } from '../../card-channel.ts';
import type { SendResult } from '../../send-result.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { refusedBy, type VendorFailure } from '../failure.ts';
import { type PagerDutyEvent, resolveOf, testEvents, triggerOf } from './message.ts';
import { failureOf } from './outcome.ts';

const timeoutMs = 5000;
const answerBytesMax = 16_384;
/** PagerDuty takes about 120 events a minute for a key. */
const everyMs = 500;

const prefix = 'pagerduty:';

/** Which payload the incident tells of, and whether it is resolved. */
const Handle = z.object({ revision: z.number().int(), resolved: z.boolean() });
type Handle = z.infer<typeof Handle>;

export type PagerDutyOptions = {
  url: string;
  /** The key of each service, by the name that policies have for it. */
  keys: ReadonlyMap<string, string>;
  publicUrl: string | undefined;
};

/** An approval is an incident until it is decided. Nobody decides in PagerDuty. */
export function createPagerDutyChannel({ url, keys, publicUrl }: PagerDutyOptions): CardChannel {
  return {
    kind: 'pagerduty',
    // Who has no key is told so at once.
    placeOf: (target) => (keyOf(target) === undefined ? null : { name: target, everyMs }),
    // PagerDuty does not say what there is. To trigger once more is the same incident, as long as it is open.
    find: async () => ({ outcome: 'looked', handle: null }),
    send: (target, told) => trigger(target, told),

    async update(handle, target, told, isTurn): Promise<Updated> {
      const shown = Handle.parse(JSON.parse(handle));
      // A vote changes nothing for who is paged. Another payload is another question.
      const isNews = told.ended || told.needed.revision > shown.revision;
      // What is resolved stays so: a trigger would open another incident, and page people for what is over.
      if (shown.resolved || !isNews) return { outcome: 'delivered', handle };
      if (!(await isTurn())) return { outcome: 'waits', handle };
      if (!told.ended) return trigger(target, told);
      const result = await deliver(target, resolveOf(told));
      return withHandle(result, { ...shown, resolved: true });
    },

    withdraw: (target, told) => deliver(target, resolveOf(told)),

    async check(target): Promise<Check> {
      for (const event of testEvents(newId(), checkText)) {
        const result = await deliver(target, event);
        if (result.outcome !== 'delivered') return { ok: false, reason: result.reason };
      }
      return { ok: true };
    },

    close: () => {},
  };

  function keyOf(target: string): string | undefined {
    return keys.get(target.slice(prefix.length));
  }

  async function trigger(target: string, told: Told): Promise<Sent> {
    const result = await deliver(target, triggerOf(told, publicUrl));
    return withHandle(result, { revision: told.needed.revision, resolved: false });
  }

  async function deliver(target: string, event: PagerDutyEvent): Promise<SendResult> {
    const key = keyOf(target);
    if (key === undefined) {
      const service = target.slice(prefix.length);
      return {
        outcome: 'failed',
        reason: `there is no key for the service ${service}: name one in PLACET_PAGERDUTY_KEYS`,
      };
    }
    const failure = await post(url, { routing_key: key, ...event });
    return failure === null ? { outcome: 'delivered' } : refusedBy(failure);
  }
}

function withHandle(result: SendResult, handle: Handle): Sent {
  return result.outcome === 'delivered' ? { ...result, handle: JSON.stringify(handle) } : result;
}

async function post(url: string, body: object): Promise<VendorFailure | null> {
  try {
    const response = await fetch(new URL('/v2/enqueue', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { status, headers } = response;
    const said = await beginningOf(response);
    return failureOf({ status, retryAfter: headers.get('retry-after') }, said, Date.now());
  } catch (error) {
    return { kind: 'passing', retryAfterMs: 0, reason: `PagerDuty was not reached: ${causeOf(error)}` };
  }
}

/** As much of an answer as anybody reads; the rest is not waited for. */
async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= answerBytesMax) break;
  }
  return Buffer.concat(chunks).toString();
}

function causeOf(error: unknown): string {
  const { message, cause } = error as Error;
  if ((error as Error).name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  return cause instanceof Error ? cause.message : message;
}
