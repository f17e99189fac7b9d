import type { SlackIdentity } from '@placet/events';
import { approvalUrl, causeId } from '@placet/runtime';
import { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { CardChannel, Check, Sent } from '../../card-channel.ts';
import type { Delivery } from '../../channel.ts';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import { remindersOf } from '../../text/approval.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { createTurns } from '../../turns.ts';
import { deliveryOf } from '../failure.ts';
import { cardOf, commentReply, reminderReply } from './card.ts';
import { failureOf } from './outcome.ts';

const timeoutMs = 5000;
/** Slack takes about one message a second in a channel. */
const everyMs = 1000;
const retryDelaysMs = [1000, 5000, 15_000, 60_000, 300_000];
/** A card keeps its buttons while Slack is away, so it is tried for half a day. */
const laterMs = 900_000;
const attemptsMax = 50;
const eventType = 'placet_approval';

const isByName = (asked: string) => !asked.startsWith('#') && !asked.startsWith('pagerduty:');
const nameOf = (email: string) => `user:${email}`;
const keyOf = (target: string) => `slack-place.${causeId(target)}`;

/** Where the card is, and how much of what belongs into its thread has been said there. */
const Handle = z.object({
  channel: z.string(),
  ts: z.string(),
  comments: z.number().int().default(0),
  reminders: z.number().int().default(0),
});
type Handle = z.infer<typeof Handle>;

/** Nobody whom the app could write to. */
class NotHere extends Error {}

export type SlackOptions = {
  botToken: string;
  publicUrl: string | undefined;
  apiUrl: string;
  places: Ledger<PlaceEntry>;
};

export type SlackChannel = CardChannel & {
  /** Sends something harmless to whoever that is here. */
  checkPerson(person: { email: string; slack: SlackIdentity[] }): Promise<Check>;
  /** Opens a modal before whoever clicked. What is wrong in words, if anything is. */
  openModal(triggerId: string, view: Record<string, unknown>): Promise<string | null>;
};

export function createSlackChannel({ botToken, publicUrl, apiUrl, places }: SlackOptions): SlackChannel {
  const client = new WebClient(botToken, {
    slackApiUrl: apiUrl,
    timeout: timeoutMs,
    // The stream brings again what failed; a client that waits would hold others up.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const turns = createTurns(everyMs);
  const known = new Map<string, string>();

  const pageOf = ({ actionId }: Told) => (publicUrl === undefined ? null : approvalUrl(publicUrl, actionId));
  const saidOf = (told: Told) => ({ comments: told.comments.length, reminders: remindersOf(told) });

  async function post(target: string, told: Told): Promise<Handle> {
    const { channel = '', ts = '' } = await client.chat.postMessage({
      channel: await addressOf(target, told),
      ...cardOf(told, pageOf(told)),
      unfurl_links: false,
      unfurl_media: false,
      metadata: { event_type: eventType, event_payload: { action_id: told.actionId } },
    });
    if (channel === '' || ts === '') throw new Error('Slack did not say where the message is');
    // It is sent, whether or not that can be written down now.
    await remember(target, channel).catch(() => {});
    // What was said before it stood there is no news.
    return { channel, ts, ...saidOf(told) };
  }

  /** Where Slack does not let us look at all, nobody can say whether it was sent: once more is better than never. */
  async function messagesSince(channel: string, oldest: string) {
    try {
      const query = { channel, oldest, include_all_metadata: true, limit: 200 };
      return (await client.conversations.history(query)).messages ?? [];
    } catch (error) {
      const failure = failureOf(error);
      if (failure.kind === 'lasting') return [];
      throw new Error(failure.reason, { cause: error });
    }
  }

  /** A person is asked by the user that they are in the workspace of the app. */
  async function addressOf(target: string, { people }: Pick<Told, 'people'>): Promise<string> {
    if (target.startsWith('#')) return target;
    const slack = people.find(({ email }) => nameOf(email) === target)?.slack ?? [];
    team ??= (await client.auth.test()).team_id;
    const here = slack.find((one) => one.team === team)?.user;
    if (here === undefined)
      throw new NotHere(`${target} is linked in another workspace of Slack than the app is in`);
    return here;
  }
  let team: string | undefined;

  /** What has been said since, in the thread of the card, and how far that has come. */
  async function reply(known: Handle, target: string, told: Told): Promise<Sent> {
    const { channel, ts } = known;
    let { comments, reminders } = known;
    const handle = () => JSON.stringify({ channel, ts, comments, reminders } satisfies Handle);
    const isReminded = () => remindersOf(told) > reminders && !told.ended;
    while (comments < told.comments.length || isReminded()) {
      const comment = told.comments[comments];
      const waitMs = turns.take(target, `${told.actionId} reply`, Date.now());
      if (waitMs > 0)
        return {
          outcome: 'retry',
          reason: 'not its turn',
          retryAfterMs: waitMs,
          isLimited: true,
          handle: handle(),
        };
      try {
        const said = comment ? commentReply(comment) : reminderReply(told);
        await client.chat.postMessage({
          channel,
          thread_ts: ts,
          ...said,
          unfurl_links: false,
          unfurl_media: false,
        });
      } catch (error) {
        const failure = failed(error, target);
        return failure.outcome === 'retry' ? { ...failure, handle: handle() } : failure;
      }
      if (comment) comments += 1;
      else reminders = remindersOf(told);
    }
    reminders = Math.max(reminders, remindersOf(told));
    return { outcome: 'delivered', handle: handle() };
  }

  /** What was sent is looked for by the id of its channel, which Slack alone knows. */
  async function remember(target: string, id: string): Promise<void> {
    if (known.get(target) === id) return;
    const stored = await places.get(keyOf(target));
    if (stored?.entry.id !== id) await places.put(keyOf(target), { id }, stored?.revision ?? 0);
    known.set(target, id);
  }

  async function tried(target: string, told: Pick<Told, 'people'>): Promise<Check> {
    try {
      await client.chat.postMessage({ channel: await addressOf(target, told), text: checkText });
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: failed(error, target).reason };
    }
  }

  return {
    kind: 'slack',
    isByName: (asked) => asked.some(isByName),
    targetsOf: ({ asked, people }) => [
      ...asked.filter((one) => one.startsWith('#')),
      ...people
        .filter(({ slack, as }) => slack.length > 0 && as.some(isByName))
        .map(({ email }) => nameOf(email)),
    ],
    waitMs: (target, told, now) => turns.take(target, told.actionId, now),

    async find(target, told) {
      const { actionId, needed } = told;
      const channel = (await places.get(keyOf(target)))?.entry.id;
      if (channel === undefined) return null;
      const oldest = String(Math.floor(Date.parse(needed.requested_at) / 1000) - 60);
      const messages = await messagesSince(channel, oldest);
      const found = messages.find(({ metadata }) => {
        const { action_id } = Object(metadata?.event_payload);
        return metadata?.event_type === eventType && action_id === actionId;
      });
      if (found?.ts === undefined) return null;
      return JSON.stringify({ channel, ts: found.ts, ...saidOf(told) } satisfies Handle);
    },

    async send(target, told): Promise<Sent> {
      try {
        return { outcome: 'delivered', handle: JSON.stringify(await post(target, told)) };
      } catch (error) {
        return failed(error, target);
      }
    },

    async update(handle, target, told): Promise<Sent> {
      const known = Handle.parse(JSON.parse(handle));
      const { channel, ts } = known;
      try {
        await client.chat.update({ channel, ts, ...cardOf(told, pageOf(told)) });
      } catch (error) {
        return failed(error, target);
      }
      return reply(known, target, told);
    },

    check: (target) => tried(target, { people: [] }),

    checkPerson: ({ email, slack }) => tried(nameOf(email), { people: [{ id: '', email, slack, as: [] }] }),

    async openModal(trigger_id, view) {
      try {
        await client.apiCall('views.open', { trigger_id, view });
        return null;
      } catch (error) {
        return failureOf(error).reason;
      }
    },

    retryDelayMs: (attempts) => (attempts >= attemptsMax ? null : (retryDelaysMs[attempts - 1] ?? laterMs)),
    close: () => {},
  };

  function failed(error: unknown, target: string): Exclude<Delivery, { outcome: 'delivered' }> {
    if (error instanceof NotHere) return { outcome: 'failed', reason: error.message };
    return deliveryOf(failureOf(error), { turns, place: target });
  }
}
