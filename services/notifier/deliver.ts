import { type Bus, type BusContext, causeId, done, type Outcome } from '@placet/runtime';
import type { Announcement, Channel, Delivery } from './channel.ts';
import type { Ledger, MessageEntry } from './ledger.ts';
import { createTell } from './tell.ts';

/** Longer than the longest attempt: a claim that is older belongs to a sender that died. */
const claimMs = 20_000;

export type DeliverParts = { context: BusContext; bus: Bus; ledger: Ledger<MessageEntry>; channel: Channel };

/**
 * Delivers one announcement through one channel: claim, send, write down. At least once, with the same id each time;
 * twice only where a sender died between sending and writing it down.
 */
export function createDeliver({ context, bus, ledger, channel }: DeliverParts) {
  const tell = createTell(bus, channel.kind);
  return async (announcement: Announcement): Promise<Outcome> => {
    // An id may be any text; a key of the ledger may not.
    const key = `${channel.kind}.${causeId(announcement.id)}`;
    const known = await ledger.get(key);
    const now = Date.now();
    if (known?.entry.status === 'sent') {
      // Its sender may have died before it told so; telling twice is once.
      await tell.sent(aboutIt(announcement, channel.target, known.entry.attempts));
      return done;
    }
    if (known?.entry.status === 'failed')
      return givenUp(announcement, known.entry.attempts, known.entry.error ?? '');
    if (known?.entry.until !== undefined && known.entry.until > now) {
      return { outcome: 'retry', afterMs: known.entry.until - now, reason: 'not due yet' };
    }
    const attempts = (known?.entry.attempts ?? 0) + 1;
    const claim = { status: 'sending', attempts, at: now, until: now + claimMs } as const;
    const revision = await ledger.put(key, claim, known?.revision ?? 0);
    if (revision === false) return { outcome: 'retry', afterMs: 1000, reason: 'claimed by another' };
    const delivery = await attempt(announcement);
    return settle(announcement, delivery, { key, attempts, revision });
  };

  async function attempt(announcement: Announcement): Promise<Delivery> {
    try {
      return await channel.send(announcement, announcement.id, new Date());
    } catch (error) {
      // What cannot even be signed or addressed will not be so another time.
      if (error instanceof TypeError) return { outcome: 'failed', reason: error.message };
      return { outcome: 'retry', reason: error instanceof Error ? error.message : String(error) };
    }
  }

  type Claim = { key: string; attempts: number; revision: number };

  async function settle(announcement: Announcement, delivery: Delivery, claim: Claim): Promise<Outcome> {
    const { key, attempts, revision } = claim;
    const at = Date.now();
    switch (delivery.outcome) {
      case 'delivered':
        await ledger.put(key, { status: 'sent', attempts, at }, revision);
        await tell.sent(aboutIt(announcement, channel.target, attempts));
        context.metrics.notifications.inc({ channel: channel.kind, result: 'sent' });
        return done;
      case 'retry': {
        const delayMs = retryDelay(announcement, delivery, attempts);
        if (delayMs === null) return giveUp(announcement, claim, delivery.reason);
        context.metrics.notifications.inc({ channel: channel.kind, result: 'retry' });
        context.logger.warn(
          { channel: channel.kind, target: channel.target, attempts, delayMs },
          delivery.reason,
        );
        const error = delivery.reason;
        await ledger.put(key, { status: 'waiting', attempts, at, until: at + delayMs, error }, revision);
        return { outcome: 'retry', afterMs: delayMs, reason: error };
      }
      case 'failed':
        return giveUp(announcement, claim, delivery.reason);
      default:
        return delivery satisfies never;
    }
  }

  /** Nobody needs to be told of an approval whose time has passed. */
  function retryDelay(
    announcement: Announcement,
    delivery: { retryAfterMs?: number },
    attempts: number,
  ): number | null {
    const scheduledMs = channel.retryDelayMs(attempts);
    if (scheduledMs === null) return null;
    const delayMs = Math.max(scheduledMs, delivery.retryAfterMs ?? 0);
    if (announcement.type !== 'approval.needed') return delayMs;
    return Date.now() + delayMs < Date.parse(announcement.data.deadline) ? delayMs : null;
  }

  async function giveUp(announcement: Announcement, claim: Claim, error: string): Promise<Outcome> {
    const { key, attempts, revision } = claim;
    await ledger.put(key, { status: 'failed', attempts, at: Date.now(), error }, revision);
    context.metrics.notifications.inc({ channel: channel.kind, result: 'failed' });
    return givenUp(announcement, attempts, error);
  }

  async function givenUp(announcement: Announcement, attempts: number, error: string): Promise<Outcome> {
    await tell.failed({ ...aboutIt(announcement, channel.target, attempts), error });
    return { outcome: 'dead', reason: `${channel.kind}: ${error}` };
  }
}

function aboutIt({ id, type, data }: Announcement, target: string, attempts: number) {
  const { action_id, agent, case: ofCase } = data;
  return { action_id, agent, target, about: id, about_type: type, attempts, case: ofCase };
}
