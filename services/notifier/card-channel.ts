import type { Delivery } from './channel.ts';
import type { Told } from './told.ts';

/** What was sent, and how it is found again to be brought up to date. */
export type Sent = { outcome: 'delivered'; handle: string } | Exclude<Delivery, { outcome: 'delivered' }>;

/** A place where an approval stands as long as it is open, and says how it ended. */
export type CardChannel = {
  kind: string;
  /** Where it belongs now, in a form that may be logged. */
  targetsOf(told: Told): string[];
  /** How long this one has to wait for its turn there; 0 takes the turn. */
  waitMs(target: string, told: Told, now: number): number;
  /** What a sender that died may have sent; null where there is none, or where the vendor cannot say. */
  find(target: string, told: Told): Promise<string | null>;
  send(target: string, told: Told): Promise<Sent>;
  update(handle: string, target: string, told: Told): Promise<Delivery>;
  /** How long to wait after the given number of failed attempts; null is to give up. */
  retryDelayMs(attempts: number): number | null;
  close(): void;
};
