import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { Sent } from '../../card-channel.ts';
import type { Place } from '../../line.ts';
import { remindersOf } from '../../text/approval.ts';
import type { Told } from '../../told.ts';
import type { Turn, Turns } from '../../turns.ts';
import { commentReply, type Reply, reminderReply } from './card.ts';
import { refusedFor } from './outcome.ts';

/** Where the card is, and how much of what belongs into its thread has been said there. */
export const Handle = z.object({
  channel: z.string(),
  ts: z.string(),
  comments: z.number().int().default(0),
  reminders: z.number().int().default(0),
  /** Of what is said next, where that waits. */
  turn: z.number().optional(),
});
export type Handle = z.infer<typeof Handle>;

/** Says in the thread of a card what has been said since, as far as there are turns for it. */
export function createThread(client: WebClient, turns: Turns) {
  return async function reply(known: Handle, place: Place, told: Told): Promise<Sent> {
    const handle = { ...known };
    const text = () => JSON.stringify(handle);
    const isReminded = () => remindersOf(told) > handle.reminders && !told.ended;
    while (handle.comments < told.comments.length || isReminded()) {
      const { turn, due } = await turnOf(handle, place);
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
    if (handle.turn !== undefined) await turns.giveBack(place, [handle.turn]);
    delete handle.turn;
    return { outcome: 'delivered', handle: text() };
  };

  async function turnOf({ turn }: Handle, place: Place): Promise<Turn> {
    if (turn !== undefined) return turns.look(place, turn);
    const [taken] = await turns.take(place, 1);
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
}
