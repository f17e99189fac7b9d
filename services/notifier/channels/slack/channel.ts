import type { SlackIdentity } from '@placet/events';
import { approvalUrl, causeId } from '@placet/runtime';
import { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { CardChannel, Check, Found, Sent } from '../../card-channel.ts';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import type { Refused } from '../../send-result.ts';
import { remindersOf } from '../../text/approval.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import type { Place, Turn, Turns } from '../../turns.ts';
import { refusedBy } from '../failure.ts';
import { cardOf, commentReply, type Reply, reminderReply } from './card.ts';
import { failureOf } from './outcome.ts';

const timeoutMs = 5000;
/** Slack takes about one message a second in a channel; who comes a little late for a turn is close to the next one. */
const slackEveryMs = 1100;
/** How far is looked back for a card: so many pages, the newest first. */
const pageSize = 200;
const pagesMax = 10;
/** The clock of Slack is not ours. */
const clocksDifferMs = 60_000;
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
  /** Of what is said next, where that waits. */
  turn: z.number().optional(),
});
type Handle = z.infer<typeof Handle>;

/** Nobody whom the app could write to. */
class NotHere extends Error {}

export type SlackOptions = {
  botToken: string;
  publicUrl: string | undefined;
  apiUrl: string;
  places: Ledger<PlaceEntry>;
  turns: Turns;
  everyMs?: number;
};

export type SlackChannel = CardChannel & {
  /** Sends something harmless to whoever that is here. */
  checkPerson(person: { email: string; slack: SlackIdentity[] }): Promise<Check>;
  /** Opens a modal before whoever clicked. What is wrong in words, if anything is. */
  openModal(triggerId: string, view: Record<string, unknown>): Promise<string | null>;
};

export function createSlackChannel({
  botToken,
  publicUrl,
  apiUrl,
  places,
  turns,
  everyMs = slackEveryMs,
}: SlackOptions): SlackChannel {
  const client = new WebClient(botToken, {
    slackApiUrl: apiUrl,
    timeout: timeoutMs,
    // The stream brings again what failed; a client that waits would hold others up.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const known = new Map<string, string>();

  const placeOf = (target: string): Place => ({ name: target, everyMs });
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

  /** The card of an action among what was said since; undefined where it is not among so many messages. */
  async function cardSince(channel: string, since: number, actionId: string): Promise<string | undefined> {
    const oldest = String(Math.floor((since - clocksDifferMs) / 1000));
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const query = { channel, oldest, include_all_metadata: true, limit: pageSize };
      const { messages = [], response_metadata } = await client.conversations.history({
        ...query,
        ...(cursor === undefined ? {} : { cursor }),
      });
      const found = messages.find(({ metadata }) => {
        const { action_id } = Object(metadata?.event_payload);
        return metadata?.event_type === eventType && action_id === actionId;
      });
      if (found?.ts !== undefined) return found.ts;
      cursor = response_metadata?.next_cursor;
      if (!cursor) return undefined;
    }
    return undefined;
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
    const handle = { ...known };
    const text = () => JSON.stringify(handle);
    const isReminded = () => remindersOf(told) > handle.reminders && !told.ended;
    while (handle.comments < told.comments.length || isReminded()) {
      const { turn, due } = await turnOf(handle, target);
      handle.turn = turn;
      if (due > Date.now()) return { outcome: 'waits', until: due, handle: text() };
      const comment = told.comments[handle.comments];
      try {
        await say(handle, comment ? commentReply(comment) : reminderReply(told));
      } catch (error) {
        const refused = refusedFor(error);
        return refused.outcome === 'retry' ? { ...refused, handle: text() } : refused;
      }
      delete handle.turn;
      if (comment) handle.comments += 1;
      else handle.reminders = remindersOf(told);
    }
    handle.reminders = Math.max(handle.reminders, remindersOf(told));
    // Nobody reminds of what has ended.
    if (handle.turn !== undefined) await turns.giveBack(placeOf(target), [handle.turn]);
    delete handle.turn;
    return { outcome: 'delivered', handle: text() };
  }

  async function turnOf({ turn }: Handle, target: string): Promise<Turn> {
    if (turn !== undefined) return turns.look(placeOf(target), turn);
    const [taken] = await turns.take(placeOf(target), 1);
    return taken ?? { turn: Date.now(), due: Date.now() };
  }

  async function say({ channel, ts }: Handle, said: Reply): Promise<void> {
    await client.chat.postMessage({
      channel,
      thread_ts: ts,
      ...said,
      unfurl_links: false,
      unfurl_media: false,
    });
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
      return { ok: false, reason: refusedFor(error).reason };
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
    placeOf,

    async find(target, told, since): Promise<Found> {
      const channel = (await places.get(keyOf(target)))?.entry.id;
      if (channel === undefined) return { outcome: 'looked', handle: null };
      try {
        const ts = await cardSince(channel, since, told.actionId);
        const handle = ts === undefined ? null : JSON.stringify({ channel, ts, ...saidOf(told) });
        return { outcome: 'looked', handle };
      } catch (error) {
        const refused = refusedFor(error);
        // Where Slack does not let us look at all, nobody can say whether it was sent: once more is better than never.
        return refused.outcome === 'failed' ? { outcome: 'looked', handle: null } : refused;
      }
    },

    async send(target, told): Promise<Sent> {
      try {
        return { outcome: 'delivered', handle: JSON.stringify(await post(target, told)) };
      } catch (error) {
        return refusedFor(error);
      }
    },

    async update(handle, target, told): Promise<Sent> {
      const known = Handle.parse(JSON.parse(handle));
      const { channel, ts } = known;
      try {
        await client.chat.update({ channel, ts, ...cardOf(told, pageOf(told)) });
      } catch (error) {
        return refusedFor(error);
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

    close: () => {},
  };
}

function refusedFor(error: unknown): Refused {
  if (error instanceof NotHere) return { outcome: 'failed', reason: error.message };
  return refusedBy(failureOf(error));
}
