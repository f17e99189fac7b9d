import type { Delivery } from './channel.ts';
import type { Told } from './told.ts';

/** What was sent, and how it is found again to be brought up to date. */
export type Sent = { outcome: 'delivered'; handle: string } | Exclude<Delivery, { outcome: 'delivered' }>;

/** What came of a harmless message; why not in words for whoever set the channel up. */
export type Check = { ok: true } | { ok: false; reason: string };

/** A place where an approval stands as long as it is open, and says how it ended. */
export type CardChannel = {
  kind: string;
  /** Whether it tells people by name because of this, so that the gateway has to say who they are. */
  isByName(asked: readonly string[], failed: Told['failed']): boolean;
  /** Where it belongs now, in a form that may be logged. */
  targetsOf(told: Told): string[];
  /** How long this one has to wait for its turn there; 0 takes the turn. */
  waitMs(target: string, told: Told, now: number): number;
  /** What a sender that died may have sent; null where there is none, or where the vendor cannot say. */
  find(target: string, told: Told): Promise<string | null>;
  send(target: string, told: Told): Promise<Sent>;
  /** The handle may be another afterwards: what it says of what was sent has changed. */
  update(handle: string, target: string, told: Told): Promise<Sent>;
  /**
   * Ends what may have been sent, where that is over and nobody can say whether it was. Without it such a thing stays as
   * it is, because it does no harm.
   */
  withdraw?(target: string, told: Told): Promise<Delivery>;
  /** Sends something harmless there. */
  check(target: string): Promise<Check>;
  /** How long to wait after the given number of failed attempts; null is to give up. */
  retryDelayMs(attempts: number): number | null;
  close(): void;
};
