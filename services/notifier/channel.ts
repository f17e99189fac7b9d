/** What became of one attempt to reach somebody. */
export type Delivery =
  | { outcome: 'delivered' }
  /** `isLimited`: the receiver takes no more at the moment, which is no failed attempt. */
  | {
      outcome: 'retry';
      reason: string;
      retryAfterMs?: number;
      isLimited?: true;
      /** How far it has come, where a part was done. */
      handle?: string;
    }
  /** Trying again cannot help. */
  | { outcome: 'failed'; reason: string };
