import type { BusContext } from '@placet/runtime';
import type { Hand } from './hand.ts';
import type { Slot } from './ledger.ts';
import { retryDelayMs } from './retry-delay.ts';
import type { Refused } from './send-result.ts';
import type { Notification, Tell } from './tell.ts';
import type { Told } from './told.ts';

/** How long who takes no more is left alone, who does not say. */
export const limitedMs = 1000;

/** An attempt at one place. */
export type Here = {
  target: string;
  slot: Slot | undefined;
  told: Told;
  hand: Hand;
  startedAt: number;
  /** Turns that were taken for it. */
  turns: number;
  /** What was sent before may be there, whatever becomes of this attempt. */
  mayStand?: boolean;
};

type SetbackParts = { context: BusContext; tell: Tell; kind: string };

/** What an attempt that came to nothing leaves behind, and whom it is told. */
export function createSetbacks({ context, tell, kind }: SetbackParts) {
  return { notYet, givenUp, unsettled, tellUnsettled, refusedUpdate, isLast };

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
    return { status: 'sending', attempts, at, ...sinceOf(here), error, refused: told.version, ...until };
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
    context.metrics.notifications.inc({ channel: kind, result: 'retry' });
    context.logger.warn({ channel: kind, target, attempts, delayMs }, refused.reason);
    const first = status === 'sending' ? sinceOf(here) : {};
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
    context.logger.error({ channel: kind, target: one.target, actionId }, `given up: ${error}`);
    context.metrics.notifications.inc({ channel: kind, result: 'failed' });
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

export function notificationOf(
  { standing: { needed }, agent, actionId }: Told,
  target: string,
  attempts: number,
) {
  const { id: about, type: about_type, data } = needed;
  return { action_id: actionId, agent, target, about, about_type, attempts, case: data.case };
}

/** When what may stand there was first begun, and of which state of the approval. */
const sinceOf = ({ slot, told }: Here) => ({
  begun: slot?.begun ?? slot?.at ?? Date.now(),
  version: slot?.version ?? told.version,
});
