import type { BusContext } from '@placet/runtime';
import type { CardChannel, Found, Sent, Updated } from './card-channel.ts';
import type { Hand } from './hand.ts';
import type { Slot } from './ledger.ts';
import type { Step } from './plan.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { Refused, SendResult } from './send-result.ts';
import type { Notification, Tell } from './tell.ts';
import type { Told } from './told.ts';
import type { Turns } from './turns.ts';

const limitedMs = 1000;

type StepParts = {
  context: BusContext;
  tell: Tell;
  turns: Turns;
  channel: CardChannel;
  targetsOf: (told: Told) => string[];
};

type Here = {
  target: string;
  slot: Slot | undefined;
  told: Told;
  hand: Hand;
  /** What was sent before may be there, whatever becomes of this attempt. */
  mayStand?: boolean;
};

/** Does what was planned at one place. This throws only where the broker is away. */
export function createSteps({ context, tell, turns, channel, targetsOf }: StepParts) {
  return async ({ target, slot, what }: Step, told: Told, hand: Hand): Promise<Slot> => {
    const here: Here = { target, slot, told, hand };
    switch (what) {
      case 'send':
        return send({ ...here, slot: begun(slot, Date.now()) });
      case 'find':
        return find(here);
      case 'update':
        return update(here, slot?.handle ?? '');
      case 'giveUp':
        return slot?.status === 'sending'
          ? unsettled(here, slot.error ?? 'nobody knows whether it was sent')
          : givenUp(here, { error: 'its turn comes after the deadline' });
      default:
        return what satisfies never;
    }
  };

  async function send(here: Here): Promise<Slot> {
    const { target, told, mayStand = false } = here;
    const sent = await attempt(() => channel.send(target, told));
    if (sent.outcome === 'delivered') {
      await tellSent(here);
      return shown(told, sent.handle);
    }
    await restAfter(sent, target);
    // What was refused was not sent; of everything else nobody knows.
    const isRefused = sent.outcome === 'failed' || sent.isLimited === true;
    return notYet(here, { refused: sent, status: isRefused && !mayStand ? 'waiting' : 'sending' });
  }

  /** Its sender died, or got no answer. */
  async function find(here: Here): Promise<Slot> {
    const { target, slot, told } = here;
    const since = slot ?? begun(undefined, Date.now());
    const at: Here = { ...here, slot: since };
    const found = await attempt(() => channel.find(target, told, since.begun ?? since.at));
    if (found.outcome === 'retry' || found.outcome === 'failed') {
      return notYet(at, { refused: found, status: 'sending' });
    }
    if (found.outcome === 'looked' && found.handle !== null) {
      await tellSent(at);
      return update(at, found.handle);
    }
    // By now there is nothing to decide.
    const isOver = told.ended !== null && !targetsOf(told).includes(target);
    if (found.outcome === 'unseen') {
      if (isOver) return unsettled(at, found.reason);
      if (told.ended) await tellUnsettled(at, found.reason);
      // Once more is better than never.
      return send({ ...at, mayStand: true });
    }
    return isOver ? withdraw(at) : send({ ...at, mayStand: channel.withdraw !== undefined });
  }

  async function withdraw(here: Here): Promise<Slot> {
    const { target, told } = here;
    const result = await attempt(
      async (): Promise<SendResult> => channel.withdraw?.(target, told) ?? { outcome: 'delivered' },
    );
    if (result.outcome !== 'delivered') return notYet(here, { refused: result, status: 'sending' });
    return { status: 'failed', attempts: 0, at: Date.now(), error: 'it ended before it was sent' };
  }

  async function update(here: Here, handle: string): Promise<Slot> {
    const { target, slot, told, hand } = here;
    const place = channel.placeOf(target);
    const isTurn = async () => place === null || (await hand.take(place, 1)) > 0;
    const result = await attempt(() => channel.update(handle, target, told, isTurn));
    const stood = { handle, version: slot?.version ?? 0 };
    switch (result.outcome) {
      case 'delivered':
        return shown(told, result.handle);
      case 'waits':
        return { ...shown(told, result.handle), version: stood.version, waits: true };
      case 'retry': {
        await restAfter(result, target);
        const reached = result.handle ?? handle;
        return isLast(here, result)
          ? refusedUpdate(here, { error: result.reason, stood: { ...stood, handle: reached } })
          : { ...(await notYet(here, { refused: result, status: 'shown' })), ...stood, handle: reached };
      }
      case 'failed':
        return refusedUpdate(here, { error: result.reason, stood });
      default:
        return result satisfies never;
    }
  }

  /**
   * It goes on showing what it shows, and that is told. The next event is another try; after the end there is none, so
   * that it is tried on: a card with live buttons is worse than none.
   */
  async function refusedUpdate(
    { target, slot, told }: Here,
    { error, stood }: { error: string; stood: { handle: string; version: number } },
  ): Promise<Slot> {
    const attempts = attemptsAt(slot, told) + 1;
    if (slot?.refused !== told.version) {
      const { id: about, type: about_type } = told.latest;
      await tellFailed(told, { ...notificationOf(told, target, attempts), about, about_type }, error);
    }
    const delayMs = told.ended ? retryDelayMs(Math.max(attempts, lastDelay)) : null;
    const until = delayMs === null ? {} : { until: Date.now() + delayMs };
    return { status: 'shown', attempts, at: Date.now(), error, ...stood, refused: told.version, ...until };
  }

  /**
   * It may stand there, and that cannot be said, or not be changed: that is told, so that somebody else can be asked.
   * Before the end it is left at that; after it, it is tried on as where a change was refused.
   */
  async function unsettled(here: Here, error: string): Promise<Slot> {
    const { slot, told } = here;
    const attempts = attemptsAt(slot, told) + 1;
    const at = Date.now();
    await tellUnsettled(here, error);
    const delayMs = told.ended ? retryDelayMs(Math.max(attempts, lastDelay)) : null;
    if (told.ended && delayMs === null) return { status: 'failed', attempts, at, error };
    const until = delayMs === null ? {} : { until: at + delayMs };
    const begun = slot?.begun ?? slot?.at ?? at;
    return { status: 'sending', attempts, at, begun, error, refused: told.version, ...until };
  }

  /** Once, whatever comes after. */
  async function tellUnsettled({ target, slot, told }: Here, error: string): Promise<void> {
    if (slot?.refused !== undefined) return;
    const said = told.ended ? `what was sent there before it ended may still ask people: ${error}` : error;
    await tellFailed(told, notificationOf(told, target, attemptsAt(slot, told) + 1), said);
  }

  /** Passing trouble that has lasted for so long. */
  function isLast({ slot, told }: Here, refused: Refused): boolean {
    return delayOf(refused, attemptsAt(slot, told) + 1) === null;
  }

  async function notYet(
    here: Here,
    { refused, status }: { refused: Refused; status: 'waiting' | 'sending' | 'shown' },
  ): Promise<Slot> {
    const { target, slot, told } = here;
    const isLimited = refused.outcome === 'retry' && refused.isLimited === true;
    const attempts = attemptsAt(slot, told) + (isLimited ? 0 : 1);
    const delayMs = delayOf(refused, attempts);
    const leftMs = Date.parse(told.needed.deadline) - Date.now();
    // Whoever is not told before the deadline is told never; that is better known now.
    const isTooLate = status !== 'shown' && !told.ended && (delayMs ?? 0) >= leftMs;
    if (delayMs === null || isTooLate) {
      return status === 'sending'
        ? unsettled(here, refused.reason)
        : givenUp(here, { error: refused.reason, attempts });
    }
    context.metrics.notifications.inc({ channel: channel.kind, result: 'retry' });
    context.logger.warn({ channel: channel.kind, target, attempts, delayMs }, refused.reason);
    const first = status === 'sending' ? { begun: slot?.begun ?? slot?.at ?? Date.now() } : {};
    const before = status === 'sending' && slot?.refused !== undefined ? { refused: told.version } : {};
    const common = { attempts, at: Date.now(), error: refused.reason };
    return { ...common, ...first, ...before, status, until: Date.now() + delayMs };
  }

  /** For good: it is told, so that somebody else can be. */
  async function givenUp(
    { target, slot, told }: Here,
    { error, attempts = slot?.attempts ?? 0 }: { error: string; attempts?: number },
  ): Promise<Slot> {
    await tellFailed(told, notificationOf(told, target, attempts), error);
    return { attempts, at: Date.now(), error, status: 'failed' };
  }

  async function tellFailed({ actionId }: Told, one: Notification, error: string): Promise<void> {
    await tell.failed({ ...one, error });
    context.logger.error({ channel: channel.kind, target: one.target, actionId }, `given up: ${error}`);
    context.metrics.notifications.inc({ channel: channel.kind, result: 'failed' });
  }

  /** Before it is written down: telling twice is once. */
  async function tellSent({ target, slot, told }: Here): Promise<void> {
    await tell.sent(notificationOf(told, target, (slot?.attempts ?? 0) + 1));
    context.metrics.notifications.inc({ channel: channel.kind, result: 'sent' });
  }

  /** Where a place takes no more for a while, nobody's turn there comes before that. */
  async function restAfter(refused: Refused, target: string): Promise<void> {
    const place = channel.placeOf(target);
    if (place === null || refused.outcome !== 'retry' || !refused.isLimited) return;
    await turns.rest(place, Date.now() + Math.max(limitedMs, refused.retryAfterMs ?? 0));
  }
}

/** The last of the delays, which what was refused for good begins with. */
const lastDelay = 6;

/** Since it last showed what there was: a new event is another try, from the beginning. */
function attemptsAt(slot: Slot | undefined, { version }: Told): number {
  return slot?.refused !== undefined && slot.refused < version ? 0 : (slot?.attempts ?? 0);
}

function delayOf(refused: Refused, attempts: number): number | null {
  if (refused.outcome === 'failed') return null;
  const { retryAfterMs = 0, isLimited } = refused;
  if (isLimited) return Math.max(limitedMs, retryAfterMs);
  const scheduledMs = retryDelayMs(attempts);
  return scheduledMs === null ? null : Math.max(scheduledMs, retryAfterMs);
}

/** A vendor's own code may throw anything: that is no reason to do it again at once. */
async function attempt<R extends Sent | Updated | SendResult | Found>(
  one: () => Promise<R>,
): Promise<R | Refused> {
  try {
    return await one();
  } catch (error) {
    return { outcome: 'retry', reason: error instanceof Error ? error.message : String(error) };
  }
}

export function notificationOf(
  { standing: { needed }, agent, actionId }: Told,
  target: string,
  attempts: number,
) {
  const { id: about, type: about_type, data } = needed;
  return { action_id: actionId, agent, target, about, about_type, attempts, case: data.case };
}

export const begun = (slot: Slot | undefined, now: number): Slot => ({
  status: 'sending',
  attempts: slot?.attempts ?? 0,
  at: now,
  begun: now,
});

const shown = ({ version }: Told, handle: string): Slot => ({
  status: 'shown',
  attempts: 0,
  at: Date.now(),
  handle,
  version,
});
