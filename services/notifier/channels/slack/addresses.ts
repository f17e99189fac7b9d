import type { Reachable } from '@placet/events';
import { causeId } from '@placet/runtime';
import type { WebClient } from '@slack/web-api';
import type { Ledger, PlaceEntry } from '../../ledger.ts';
import { NotHere } from './outcome.ts';
import { channelIn } from './places.ts';
import type { Self } from './self.ts';

type People = readonly Reachable[];

export const nameOf = (email: string) => `user:${email}`;
const keyOf = (target: string) => `slack-place.${causeId(target)}`;

export type Addresses = ReturnType<typeof createAddresses>;

/** How Slack calls whom we ask. What was sent is looked for by the id of its channel, which Slack alone knows. */
export function createAddresses(client: WebClient, self: Self, places: Ledger<PlaceEntry>) {
  const known = new Map<string, string>();
  const learnings = new Map<string, Promise<void>>();

  const stored = async (target: string) => (await places.get(keyOf(target)))?.entry.id;

  /** A person is asked by the user that they are in the workspace of the app. */
  async function addressOf(target: string, people: People): Promise<string> {
    if (target.startsWith('#')) return target;
    const slack = people.find(({ email }) => nameOf(email) === target)?.slack ?? [];
    const { team } = await self();
    const here = slack.find((one) => one.team === team)?.user;
    if (here === undefined)
      throw new NotHere(`${target} is linked in another workspace of Slack than the app is in`);
    return here;
  }

  async function remember(target: string, id: string): Promise<void> {
    if (known.get(target) === id) return;
    const before = await places.get(keyOf(target));
    if (before?.entry.id !== id) await places.put(keyOf(target), { id }, before?.revision ?? 0);
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

  async function learnt(target: string, address: string): Promise<void> {
    const id =
      (await stored(target)) ??
      (target.startsWith('#') ? await channelIn(client, target) : await openedFor(address));
    if (id !== undefined) await remember(target, id);
  }

  async function openedFor(user: string): Promise<string | undefined> {
    return (await client.conversations.open({ users: user })).channel?.id;
  }

  return {
    addressOf,
    learn,
    remember,
    /** Also where nothing was known when something was sent there. */
    async idOf(target: string, people: People): Promise<string | undefined> {
      const id = await stored(target);
      if (id !== undefined) return id;
      await learn(target, await addressOf(target, people));
      return known.get(target) ?? stored(target);
    },
  };
}
