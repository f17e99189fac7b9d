import type { EventOf } from '@placet/events';

/** What people are told: that they are needed, once more, that others are, and how it ended. */
export type Announcement = EventOf<
  'approval.needed' | 'approval.reminded' | 'approval.escalated' | 'approval.reassigned' | 'approval.closed'
>;

export type Delivery =
  | { outcome: 'delivered' }
  /** `isLimited`: the receiver takes no more at the moment, which is no failed attempt. */
  | { outcome: 'retry'; reason: string; retryAfterMs?: number; isLimited?: true }
  /** Trying again cannot help. */
  | { outcome: 'failed'; reason: string };

/** One way to reach people. The flow around it (ledger, retries, dead letters) is the same for all of them. */
export type Channel = {
  kind: string;
  /** Where it delivers to, in a form that may be logged. */
  target: string;
  /** One attempt. `id` is the same over all attempts, so that a receiver can tell a repetition. */
  send(announcement: Announcement, id: string, now: Date): Promise<Delivery>;
  /** How long to wait after the given number of failed attempts; null is to give up. */
  retryDelayMs(attempts: number): number | null;
  close(): void;
};
