import type { SlackIdentity } from '@placet/events';
import { approvalUrl, causeId } from '@placet/runtime';
import { WebClient } from '@slack/web-api';
import type { CardChannel, Check, Found, Sent, Updated } from '../../card-channel.ts';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import type { Place } from '../../pace.ts';
import { lostFor } from '../../routes.ts';
import { insteadText, remindersOf } from '../../text/approval.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { cardOf } from './card.ts';
import { failureOf, NotHere, refusedFor } from './outcome.ts';
import { channelIn } from './places.ts';
import { createThread, Handle } from './thread.ts';

const timeoutMs = 5000;
/** Slack takes about one message a second in a channel; who comes a little late for a turn is close to the next one. */
const slackEveryMs = 1100;
/** How far is looked back for a card: so many pages, the newest first. */
const pageSize = 200;
const pagesMax = 10;
/** The clock of Slack is not ours. */
const clocksDifferMs = 60_000;
const eventType = 'placet_approval';

const nameOf = (email: string) => `user:${email}`;
const keyOf = (target: string) => `slack-place.${causeId(target)}`;

export type SlackOptions = {
  botToken: string;
  publicUrl: string | undefined;
  apiUrl: string;
  places: Ledger<PlaceEntry>;
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
  everyMs = slackEveryMs,
}: SlackOptions): SlackChannel {
  const client = new WebClient(botToken, {
    slackApiUrl: apiUrl,
    timeout: timeoutMs,
    // The stream brings again what failed; a client that waits would hold others up.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const reply = createThread(client);
  const known = new Map<string, string>();

  const placeOf = (target: string): Place => ({ name: target, everyMs });
  const pageOf = ({ actionId }: Told) => (publicUrl === undefined ? null : approvalUrl(publicUrl, actionId));
  const saidOf = (told: Told) => ({ comments: told.comments.length, reminders: remindersOf(told) });

  async function post(target: string, told: Told): Promise<Handle> {
    const address = await addressOf(target, told);
    await learn(target, address);
    const { channel = '', ts = '' } = await client.chat.postMessage({
      channel: address,
      ...cardOf(told, pageOf(told), insteadOf(target, told)),
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

  /** The card of an action among what was said since; null where it is not among so many messages. */
  async function cardSince(
    channel: string,
    since: number,
    actionId: string,
  ): Promise<string | null | undefined> {
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
    return null;
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

  /** What was sent is looked for by the id of its channel, which Slack alone knows. */
  async function remember(target: string, id: string): Promise<void> {
    if (known.get(target) === id) return;
    const stored = await places.get(keyOf(target));
    if (stored?.entry.id !== id) await places.put(keyOf(target), { id }, stored?.revision ?? 0);
    known.set(target, id);
  }

  /** Once for a place, and before anything is sent there: where an answer is lost, it is known where to look. */
  async function learn(target: string, address: string): Promise<void> {
    if (known.has(target)) return;
    const learning = learnings.get(target) ?? learnt(target, address);
    learnings.set(target, learning);
    // Where Slack does not say, its answer to the first card does.
    await learning.catch(() => {}).finally(() => learnings.delete(target));
  }
  const learnings = new Map<string, Promise<void>>();

  async function learnt(target: string, address: string): Promise<void> {
    const stored = (await places.get(keyOf(target)))?.entry.id;
    const id =
      stored ?? (target.startsWith('#') ? await channelIn(client, target) : await openedFor(address));
    if (id !== undefined) await remember(target, id);
  }

  async function openedFor(user: string): Promise<string | undefined> {
    return (await client.conversations.open({ users: user })).channel?.id;
  }

  /** Also where nothing was known when something was sent there. */
  async function idOf(target: string, told: Told): Promise<string | undefined> {
    const stored = async () => (await places.get(keyOf(target)))?.entry.id;
    const id = await stored();
    if (id !== undefined) return id;
    await learn(target, await addressOf(target, told));
    return known.get(target) ?? (await stored());
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
    placeOf,

    async find(target, told, since): Promise<Found> {
      try {
        const channel = await idOf(target, told);
        if (channel === undefined) return { outcome: 'unseen', reason: 'Slack did not say where that is' };
        const ts = await cardSince(channel, since, told.actionId);
        if (ts === null)
          return { outcome: 'unseen', reason: 'more was said there since than is looked through' };
        const handle = ts === undefined ? null : JSON.stringify({ channel, ts, ...saidOf(told) });
        return { outcome: 'looked', handle };
      } catch (error) {
        const refused = refusedFor(error);
        return refused.outcome === 'failed' ? { outcome: 'unseen', reason: refused.reason } : refused;
      }
    },

    async send(target, told): Promise<Sent> {
      try {
        return { outcome: 'delivered', handle: JSON.stringify(await post(target, told)) };
      } catch (error) {
        return refusedFor(error);
      }
    },

    async update(handle, target, told, isTurn): Promise<Updated> {
      const known = Handle.parse(JSON.parse(handle));
      const { channel, ts } = known;
      try {
        await client.chat.update({ channel, ts, ...cardOf(told, pageOf(told), insteadOf(target, told)) });
      } catch (error) {
        return refusedFor(error);
      }
      return reply(known, told, isTurn);
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

/** Why somebody is told here who was to be told elsewhere. */
function insteadOf(target: string, told: Told): string | null {
  const person = told.people.find(({ email }) => nameOf(email) === target);
  return person ? insteadText(lostFor(person, told)) : null;
}
