import { clicksBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { type BusContext, openKeptValues } from '@placet/runtime';
import * as z from 'zod';

/** Whether nothing has come under this mark before, to whichever gateway. */
type TakeFirst = (mark: string) => Promise<boolean>;

/**
 * Somebody may have kept what Slack sent and send it again, when the person has changed their mind: it counts once, over
 * all gateways and over their restarts, for longer than its signature holds.
 */
export function createTakeFirst(context: BusContext): TakeFirst {
  const taken = openKeptValues(context, clicksBucket, z.object({}));
  return async (mark) => (await taken.put(sha256Hex(mark), {}, 0)) !== false;
}
