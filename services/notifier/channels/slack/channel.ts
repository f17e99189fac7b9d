import type { Reachable, SlackIdentity } from '@placet/events';
import { approvalUrl } from '@placet/runtime';
import { WebClient } from '@slack/web-api';
import type { CardChannel, Check, Found, Sent, Updated } from '../../card-channel.ts';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import type { Place } from '../../pace.ts';
import { lostFor } from '../../routes.ts';
import { insteadText, remindersOf } from '../../text/approval.ts';
import { checkText } from '../../text/check.ts';
import type { Told } from '../../told.ts';
import { createAddresses, nameOf } from './addresses.ts';
import { cardOf } from './card.ts';
import { cardSince, metadataOf } from './find-card.ts';
import { failureOf, refusedFor } from './outcome.ts';
import { createSelf } from './self.ts';
import { createThread, Handle } from './thread.ts';

const timeoutMs = 5000;
/** Slack takes about one message a second in a channel; who comes a little late for a turn is close to the next one. */
const slackEveryMs = 1100;

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
    // What failed is tried again by the agenda; a client that waits would hold others up.
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
  });
  const reply = createThread(client);
  const self = createSelf(client);
  const addresses = createAddresses(client, self, places);

  const placeOf = (target: string): Place => ({ name: target, everyMs });
  const pageOf = ({ actionId }: Told) => (publicUrl === undefined ? null : approvalUrl(publicUrl, actionId));

  async function post(target: string, told: Told): Promise<Handle> {
    const address = await addresses.addressOf(target, told.people);
    await addresses.learn(target, address);
    const { channel = '', ts = '' } = await client.chat.postMessage({
      channel: address,
      ...cardOf(told, pageOf(told), insteadOf(target, told)),
      unfurl_links: false,
      unfurl_media: false,
      metadata: metadataOf(told.actionId),
    });
    if (channel === '' || ts === '') throw new Error('Slack did not say where the message is');
    // It is sent, whether or not that can be written down now.
    await addresses.remember(target, channel).catch(() => {});
    // What was said before it stood there is no news.
    return { channel, ts, ...saidBy(told, told.version) };
  }

  async function tried(target: string, people: readonly Reachable[]): Promise<Check> {
    try {
      await client.chat.postMessage({
        channel: await addresses.addressOf(target, people),
        text: checkText,
      });
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: refusedFor(error).reason };
    }
  }

  return {
    kind: 'slack',
    placeOf,

    async find(target, told, begun): Promise<Found> {
      try {
        const channel = await addresses.idOf(target, told.people);
        if (channel === undefined) return { outcome: 'unseen', reason: 'Slack did not say where that is' };
        const { bot } = await self();
        const ts = await cardSince(client, { channel, since: begun.at, actionId: told.actionId, bot });
        if (ts === null)
          return { outcome: 'unseen', reason: 'more was said there since than is looked through' };
        // Of what was said since nothing stands under it.
        const handle =
          ts === undefined ? null : JSON.stringify({ channel, ts, ...saidBy(told, begun.version) });
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

    check: (target) => tried(target, []),

    checkPerson: ({ email, slack }) => tried(nameOf(email), [{ id: '', email, slack, as: [] }]),

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

/** What had been said when the approval was in this state. */
function saidBy(told: Told, version: number): Pick<Handle, 'comments' | 'reminders'> {
  const comments = told.comments.filter((one) => one.version <= version).length;
  const since = told.reminded.filter((at) => at > version).length;
  return { comments, reminders: Math.max(0, remindersOf(told) - since) };
}

/** Why somebody is told here who was to be told elsewhere. */
function insteadOf(target: string, told: Told): string | null {
  const person = told.people.find(({ email }) => nameOf(email) === target);
  return person ? insteadText(lostFor(person, told)) : null;
}
