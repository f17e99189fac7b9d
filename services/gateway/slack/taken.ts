import { clicksBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { openKeptValues, type ServiceParts, StoreFull } from '@placet/runtime';
import * as z from 'zod';

/** What Slack sent: its mark is the same when it comes again. By callbacks it says when, which its signature holds. */
export type Sent = { mark: string; at?: Date };

/** Whether nothing has come under this mark before, to whichever gateway; or that there is no room to know it. */
export type Take = (sent: Sent) => Promise<'first' | 'again' | 'no_room'>;

/**
 * Somebody may have kept what Slack sent and send it again, when the person has changed their mind: it counts once, over
 * all gateways and over their restarts, for longer than its signature holds.
 */
export function createTake({ context, alarm }: Pick<ServiceParts, 'context' | 'alarm'>): Take {
  const taken = openKeptValues(context, clicksBucket, z.object({}));

  return async ({ mark }) => {
    try {
      return (await taken.put(sha256Hex(mark), {}, 0)) === false ? 'again' : 'first';
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error;
      await tellOfFull();
      return 'no_room';
    }
  };

  async function tellOfFull(): Promise<void> {
    await alarm({
      kind: 'clicks_full',
      about: new Date().toISOString().slice(0, 10),
      message:
        'There is no room to remember which clicks in Slack were taken, so that none is: people decide on the pages.',
    });
  }
}
