import type { Place } from './pace.ts';
import type { Kind } from './routes.ts';
import type { Refused, SendResult } from './send-result.ts';
import type { Told } from './told.ts';

/** What was sent, and how it is found again to be brought up to date. */
export type Sent = { outcome: 'delivered'; handle: string } | Refused;

/** What is left to be said may have to wait for its turn there. */
export type Updated = Sent | { outcome: 'waits'; handle: string };

/** Whether one more message may be sent there now. */
export type IsTurn = () => Promise<boolean>;

export type Begun = { at: number; version: number };

/** What a sender that died may have sent; null where there is none, or where the vendor cannot say. */
export type Found =
  | { outcome: 'looked'; handle: string | null }
  /** It may be there, and trying again soon cannot help. */
  | { outcome: 'unseen'; reason: string }
  | Refused;

/** What came of a harmless message; why not in words for whoever set the channel up. */
export type Check = { ok: true } | { ok: false; reason: string };

/** A place where an approval stands as long as it is open, and says how it ended. */
export type CardChannel = {
  kind: Kind;
  /** Where what is sent there waits for its turn; null is that it need not wait. */
  placeOf(target: string): Place | null;
  /** What was sent by a sender that began then, when the approval was in that state. */
  find(target: string, told: Told, begun: Begun): Promise<Found>;
  send(target: string, told: Told): Promise<Sent>;
  /** The handle may be another afterwards: what it says of what was sent has changed. */
  update(handle: string, target: string, told: Told, isTurn: IsTurn): Promise<Updated>;
  /**
   * Ends what may have been sent, where that is over and nobody can say whether it was. Without it such a thing stays as
   * it is, because it does no harm.
   */
  withdraw?(target: string, told: Told): Promise<SendResult>;
  /** Sends something harmless there. */
  check(target: string): Promise<Check>;
  close(): void;
};
