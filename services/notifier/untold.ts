import type { Jwks } from '@placet/proof';
import { type Bus, type BusContext, type Delivered, done, type Outcome } from '@placet/runtime';
import { isPeopleWanted, type SetUp, untoldOf, untoldText } from './routes.ts';
import { notificationOf } from './setbacks.ts';
import { createTell } from './tell.ts';
import { readTold } from './told.ts';

const behindMs = 50;

type UntoldParts = { context: BusContext; bus: Bus; trusted: Jwks; setUp: SetUp };

/** Tells that nobody could be told, once for all who are asked. */
export function createUntold({ context, bus, trusted, setUp }: UntoldParts) {
  const tell = createTell(bus, 'none');
  const isWanted = (asked: readonly string[]) => setUp.slack && isPeopleWanted(asked, [], setUp);

  return async ({ event, seq }: Delivered): Promise<Outcome> => {
    if (setUp.email || !('action_id' in event.data)) return done;
    const { action_id: actionId, agent } = event.data;
    const { told, seen } = await readTold(context, trusted, { actionId, agent }, isWanted);
    if (seen < seq) return { outcome: 'retry', afterMs: behindMs, reason: 'this node is behind' };
    const untold = !told || told.ended ? [] : untoldOf(told, setUp);
    if (!told || untold.length === 0) return done;
    const error = untoldText(untold, setUp);
    await tell.failed({ ...notificationOf(told, untold.join(', '), 0), error });
    context.metrics.notifications.inc({ channel: 'none', result: 'failed' });
    context.logger.warn({ actionId }, error);
    return done;
  };
}
