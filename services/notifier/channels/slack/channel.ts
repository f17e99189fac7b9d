import { askedNow } from '@placet/events';
import { causeId } from '@placet/runtime';
import { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { CardChannel, Check, Sent } from '../../card-channel.ts';
import type { Delivery } from '../../channel.ts';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { createTurns } from '../../turns.ts';
import { cardOf } from './card.ts';
import { failureOf } from './outcome.ts';

const timeoutMs = 5000;
/** Slack takes about one message a second in a channel. */
const everyMs = 1000;
const retryDelaysMs = [1000, 5000, 15_000, 60_000, 300_000];
/** A card keeps its buttons while Slack is away, so it is tried for half a day. */
const laterMs = 900_000;
const attemptsMax = 50;
const eventType = 'placet_approval';

const keyOf = (target: string) => `slack-place.${causeId(target)}`;

const Handle = z.object({ channel: z.string(), ts: z.string() });
type Handle = z.infer<typeof Handle>;

export type SlackOptions = {
  botToken: string;
  apiUrl: string;
  places: Ledger<PlaceEntry>;
};

export function createSlackChannel({ botToken, apiUrl, places }: SlackOptions): CardChannel {
  const client = new WebClient(botToken, {
    slackApiUrl: apiUrl,
    timeout: timeoutMs,
    // The stream brings again what failed; a client that waits would hold others up.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const turns = createTurns(everyMs);
  const known = new Map<string, string>();

  async function post(target: string, told: Told): Promise<Handle> {
    const { channel = '', ts = '' } = await client.chat.postMessage({
      channel: target,
      ...cardOf(told),
      unfurl_links: false,
      unfurl_media: false,
      metadata: { event_type: eventType, event_payload: { action_id: told.actionId } },
    });
    // It is sent, whether or not that can be written down now.
    await remember(target, channel).catch(() => {});
    return { channel, ts };
  }

  /** What was sent is looked for by the id of its channel, which Slack alone knows. */
  async function remember(target: string, id: string): Promise<void> {
    if (known.get(target) === id) return;
    const stored = await places.get(keyOf(target));
    if (stored?.entry.id !== id) await places.put(keyOf(target), { id }, stored?.revision ?? 0);
    known.set(target, id);
  }

  return {
    kind: 'slack',
    isByName: (asked, failed) => failed.length > 0 || asked.some((one) => !one.startsWith('#')),
    targetsOf: ({ standing }) => askedNow(standing).filter((asked) => asked.startsWith('#')),
    waitMs: (target, told, now) => turns.take(target, told.actionId, now),

    async find(target, { actionId, needed }) {
      const channel = (await places.get(keyOf(target)))?.entry.id;
      if (channel === undefined) return null;
      const oldest = String(Math.floor(Date.parse(needed.requested_at) / 1000) - 60);
      const { messages = [] } = await client.conversations.history({
        channel,
        oldest,
        include_all_metadata: true,
        limit: 200,
      });
      const found = messages.find(({ metadata }) => {
        const { action_id } = Object(metadata?.event_payload);
        return metadata?.event_type === eventType && action_id === actionId;
      });
      return found?.ts === undefined ? null : JSON.stringify({ channel, ts: found.ts } satisfies Handle);
    },

    async send(target, told): Promise<Sent> {
      try {
        return { outcome: 'delivered', handle: JSON.stringify(await post(target, told)) };
      } catch (error) {
        return failed(error, target);
      }
    },

    async update(handle, target, told): Promise<Sent> {
      const { channel, ts } = Handle.parse(JSON.parse(handle));
      try {
        await client.chat.update({ channel, ts, ...cardOf(told) });
        return { outcome: 'delivered', handle };
      } catch (error) {
        return failed(error, target);
      }
    },

    async check(target): Promise<Check> {
      try {
        await client.chat.postMessage({ channel: target, text: checkText });
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: failed(error, target).reason };
      }
    },

    retryDelayMs: (attempts) => (attempts >= attemptsMax ? null : (retryDelaysMs[attempts - 1] ?? laterMs)),
    close: () => {},
  };

  function failed(error: unknown, target: string): Exclude<Delivery, { outcome: 'delivered' }> {
    const failure = failureOf(error);
    switch (failure.kind) {
      case 'limited':
        turns.rest(target, Date.now() + failure.retryAfterMs);
        return {
          outcome: 'retry',
          reason: failure.reason,
          retryAfterMs: failure.retryAfterMs,
          isLimited: true,
        };
      case 'passing':
        return { outcome: 'retry', reason: failure.reason };
      case 'lasting':
        return { outcome: 'failed', reason: failure.reason };
      default:
        return failure satisfies never;
    }
  }
}
