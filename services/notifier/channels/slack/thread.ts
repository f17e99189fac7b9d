import type { WebClient } from '@slack/web-api';
import * as z from 'zod';
import type { IsTurn, Updated } from '../../card-channel.ts';
import { remindersOf } from '../../text/approval.ts';
import type { Told } from '../../told.ts';
import { commentReply, type Reply, reminderReply } from './card.ts';
import { refusedFor } from './outcome.ts';

/** Where the card is, and how much of what belongs into its thread has been said there. */
export const Handle = z.object({
  channel: z.string(),
  ts: z.string(),
  comments: z.number().int().default(0),
  reminders: z.number().int().default(0),
});
export type Handle = z.infer<typeof Handle>;

/** Says in the thread of a card what has been said since, as far as there are turns for it. */
export function createThread(client: WebClient) {
  return async function reply(known: Handle, told: Told, isTurn: IsTurn): Promise<Updated> {
    const handle = { ...known };
    const text = () => JSON.stringify(handle);
    const isReminded = () => remindersOf(told) > handle.reminders && !told.ended;
    while (handle.comments < told.comments.length || isReminded()) {
      if (!(await isTurn())) return { outcome: 'waits', handle: text() };
      const comment = told.comments[handle.comments];
      try {
        await say(handle, comment ? commentReply(comment) : reminderReply(told));
      } catch (error) {
        const refused = refusedFor(error);
        return refused.outcome === 'retry' ? { ...refused, handle: text() } : refused;
      }
      if (comment) handle.comments += 1;
      else handle.reminders = remindersOf(told);
    }
    handle.reminders = Math.max(handle.reminders, remindersOf(told));
    return { outcome: 'delivered', handle: text() };
  };

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
