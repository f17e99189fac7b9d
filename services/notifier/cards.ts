import type { Jwks } from '@placet/proof';
import { type Bus, type BusContext, type Delivered, done, type Outcome } from '@placet/runtime';
import type { CardChannel, Sent } from './card-channel.ts';
import type { Delivery } from './channel.ts';
import type { CardsEntry, Ledger, Slot } from './ledger.ts';
import { createTell } from './tell.ts';
import { readTold, type Told } from './told.ts';

/** Longer than the longest attempt: whoever is at it for longer has died. */
const heldMs = 20_000;
const behindMs = 50;
const takenMs = 250;
const limitedMs = 1000;
/** What waits for its turn may be over long before. */
const lookAgainMs = 10_000;

export type CardParts = {
  context: BusContext;
  bus: Bus;
  ledger: Ledger<CardsEntry>;
  channel: CardChannel;
  trusted: Jwks;
};

type Slots = CardsEntry['slots'];
type Work = {
  target: string;
  slot: Slot | undefined;
  what: 'send' | 'find' | 'update' | 'tooLate';
  waitMs: number;
};
type Failed = Exclude<Delivery, { outcome: 'delivered' }>;
type Looked = { outcome: 'looked'; found: string | null };
const nothing: Looked = { outcome: 'looked', found: null };

/**
 * Brings what people see of an approval up to date, wherever it stands: an event only says that it is worth a look. So
 * the order of events does not matter, nor how often one comes. One instance at a time does so for an approval: no
 * older state is shown after a newer one.
 */
export function createCards({ context, bus, ledger, channel, trusted }: CardParts) {
  const tell = createTell(bus, channel.kind);

  return async ({ event, seq }: Delivered): Promise<Outcome> => {
    if (!('action_id' in event.data)) return done;
    const { action_id: actionId, agent } = event.data;
    const read = await readTold(context, trusted, { actionId, agent }, channel);
    // Nobody is asked, or the stream has forgotten it.
    if (!read) return done;
    if (read.seen < seq) return again(behindMs, 'this node is behind');
    return bring(read.told);
  };

  async function bring(told: Told): Promise<Outcome> {
    const key = `${channel.kind}.${told.agent}.${told.actionId}`;
    const now = Date.now();
    const known = await ledger.get(key);
    if (known && known.entry.until > now) return again(takenMs, 'somebody is at it');
    // Who asks for names reads for seconds. What was seen to be over meanwhile is not begun any more.
    if (known && (known.entry.seen ?? 0) > told.version) return again(behindMs, 'somebody has seen more');
    const slots = { ...known?.entry.slots };
    const seen = told.version;
    if (told.ended && !known && (await ledger.put(key, { until: 0, seen, slots }, 0)) === false) {
      return again(takenMs, 'somebody is at it');
    }
    const due = workOf(slots, told, now).filter(({ waitMs }) => waitMs <= 0);
    if (due.length > 0) {
      for (const { target, slot, what } of due) if (what === 'send') slots[target] = begun(slot, now);
      const until = now + heldMs;
      const holding = await ledger.put(key, { until, seen, slots }, known?.revision ?? 0);
      if (holding === false || !(await perform(told, { key, due, slots, holding, until }))) {
        return again(takenMs, 'somebody is at it');
      }
    }
    const left = workOf(slots, told, Date.now()).map(({ waitMs }) => waitMs);
    return left.length === 0 ? done : again(Math.max(1, Math.min(lookAgainMs, ...left)), 'not due yet');
  }

  /** False when somebody thought that we had died, and goes on from what was written down. */
  async function perform(
    told: Told,
    { key, due, slots, ...held }: { key: string; due: Work[]; slots: Slots; holding: number; until: number },
  ): Promise<boolean> {
    let { holding, until } = held;
    for (const [n, work] of due.entries()) {
      // A process that was stopped for a while goes on from where others have been since.
      if (Date.now() >= until) return false;
      slots[work.target] = await brought(work, told);
      until = n === due.length - 1 ? 0 : Date.now() + heldMs;
      const kept = await ledger.put(key, { until, seen: told.version, slots }, holding);
      if (kept === false) return false;
      holding = kept;
    }
    return true;
  }

  /**
   * What is to be done, and when. After the end nobody is asked any more, all that stands says so, and whom the policy
   * wants to hear of it is told.
   */
  function workOf(slots: Slots, told: Told, now: number): Work[] {
    const wanted = channel.targetsOf(told);
    const leftMs = Date.parse(told.needed.deadline) - now;
    // What waits for its turn until after the deadline is told never; that is better known now.
    const inTime = (work: Work): Work =>
      !told.ended && work.waitMs > 0 && work.waitMs >= leftMs
        ? { ...work, what: 'tooLate', waitMs: 0 }
        : work;
    return [...new Set([...Object.keys(slots), ...wanted])].flatMap((target): Work[] => {
      const slot = slots[target];
      const restMs = Math.max(0, (slot?.until ?? 0) - now);
      const status = slot?.status ?? 'waiting';
      switch (status) {
        case 'waiting':
          if (!wanted.includes(target)) return [];
          return [
            inTime({ target, slot, what: 'send', waitMs: restMs || channel.waitMs(target, told, now) }),
          ];
        case 'sending':
          return [inTime({ target, slot, what: 'find', waitMs: restMs })];
        case 'shown':
          return (slot?.version ?? 0) < told.version
            ? [{ target, slot, what: 'update', waitMs: restMs }]
            : [];
        case 'failed':
          return [];
        default:
          return status satisfies never;
      }
    });
  }

  async function brought({ target, slot, what }: Work, told: Told): Promise<Slot> {
    if (slot?.handle !== undefined) return updated(target, told, { slot, handle: slot.handle });
    if (what === 'tooLate')
      return givenUp(target, told, { slot, error: 'its turn comes after the deadline' });
    const looked = what === 'find' ? await attempt(() => lookedFor(target, told)) : nothing;
    if (looked.outcome !== 'looked') {
      return afterFailure(target, told, { slot, failed: looked, status: 'sending' });
    }
    const { found } = looked;
    if (found !== null) {
      await tellSent(target, told, slot);
      return updated(target, told, { slot, handle: found });
    }
    // Its sender died before it had sent, and by now there is nothing to decide.
    if (told.ended && !channel.targetsOf(told).includes(target)) return withdrawn(target, told, slot);
    const sent = await attempt(() => channel.send(target, told));
    if (sent.outcome !== 'delivered') {
      // What was refused for want of room was not sent; of everything else nobody knows.
      const status = sent.outcome === 'retry' && sent.isLimited ? 'waiting' : 'sending';
      return afterFailure(target, told, { slot, failed: sent, status });
    }
    await tellSent(target, told, slot);
    return shown(told, sent.handle);
  }

  /** Before it is written down: telling twice is once. */
  async function tellSent(target: string, told: Told, slot: Slot | undefined): Promise<void> {
    await tell.sent(aboutIt(told, target, (slot?.attempts ?? 0) + 1));
    context.metrics.notifications.inc({ channel: channel.kind, result: 'sent' });
  }

  async function withdrawn(target: string, told: Told, slot: Slot | undefined): Promise<Slot> {
    const result = await attempt(
      async () => channel.withdraw?.(target, told) ?? ({ outcome: 'delivered' } as const),
    );
    if (result.outcome !== 'delivered')
      return afterFailure(target, told, { slot, failed: result, status: 'sending' });
    return { status: 'failed', attempts: 0, at: Date.now(), error: 'it ended before it was sent' };
  }

  async function updated(
    target: string,
    told: Told,
    { slot, handle }: { slot: Slot | undefined; handle: string },
  ): Promise<Slot> {
    const result = await attempt(() => channel.update(handle, target, told));
    if (result.outcome === 'delivered') return shown(told, result.handle);
    const next = await afterFailure(target, told, { slot, failed: result, status: 'shown' });
    const reached = result.outcome === 'retry' ? result.handle : undefined;
    return { ...next, handle: reached ?? handle, version: slot?.version ?? 0 };
  }

  async function afterFailure(
    target: string,
    told: Told,
    {
      slot,
      failed,
      status,
    }: { slot: Slot | undefined; failed: Failed; status: 'waiting' | 'sending' | 'shown' },
  ): Promise<Slot> {
    const isLimited = failed.outcome === 'retry' && failed.isLimited === true;
    const attempts = (slot?.attempts ?? 0) + (isLimited ? 0 : 1);
    const dueMs = delayOf(failed, attempts);
    // Whoever is not told before the deadline is told never; that is better known now.
    const isTooLate =
      status !== 'shown' && !told.ended && Date.now() + (dueMs ?? 0) >= Date.parse(told.needed.deadline);
    const delayMs = isTooLate ? null : dueMs;
    const common = { attempts, at: Date.now(), error: failed.reason };
    if (delayMs !== null) {
      context.metrics.notifications.inc({ channel: channel.kind, result: 'retry' });
      context.logger.warn({ channel: channel.kind, target, attempts, delayMs }, failed.reason);
      return { ...common, status, until: Date.now() + delayMs };
    }
    return givenUp(target, told, { slot, error: failed.reason, attempts });
  }

  /** For good: it is told, so that somebody else can be. */
  async function givenUp(
    target: string,
    told: Told,
    {
      slot,
      error,
      attempts = slot?.attempts ?? 0,
    }: { slot: Slot | undefined; error: string; attempts?: number },
  ): Promise<Slot> {
    await tell.failed({ ...aboutIt(told, target, attempts), error });
    context.logger.error({ channel: channel.kind, target, actionId: told.actionId }, `given up: ${error}`);
    context.metrics.notifications.inc({ channel: channel.kind, result: 'failed' });
    return { attempts, at: Date.now(), error, status: 'failed' };
  }

  async function lookedFor(target: string, told: Told): Promise<Looked> {
    return { outcome: 'looked', found: await channel.find(target, told) };
  }

  function delayOf(failed: Failed, attempts: number): number | null {
    if (failed.outcome === 'failed') return null;
    const { retryAfterMs = 0, isLimited } = failed;
    if (isLimited) return Math.max(limitedMs, retryAfterMs);
    const scheduledMs = channel.retryDelayMs(attempts);
    return scheduledMs === null ? null : Math.max(scheduledMs, retryAfterMs);
  }

  async function attempt<R extends Sent | Delivery | Looked>(one: () => Promise<R>): Promise<R | Failed> {
    try {
      return await one();
    } catch (error) {
      return { outcome: 'retry', reason: error instanceof Error ? error.message : String(error) };
    }
  }
}

function aboutIt({ standing: { needed }, agent, actionId }: Told, target: string, attempts: number) {
  const { id: about, type: about_type, data } = needed;
  return { action_id: actionId, agent, target, about, about_type, attempts, case: data.case };
}

const again = (afterMs: number, reason: string): Outcome => ({ outcome: 'retry', afterMs, reason });

const begun = (slot: Slot | undefined, now: number): Slot => ({
  status: 'sending',
  attempts: slot?.attempts ?? 0,
  at: now,
});

const shown = ({ version }: Told, handle: string): Slot => ({
  status: 'shown',
  attempts: 0,
  at: Date.now(),
  handle,
  version,
});
