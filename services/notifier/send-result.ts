/** Why an attempt to reach somebody came to nothing. */
export type Refused =
  | {
      outcome: 'retry';
      reason: string;
      retryAfterMs?: number;
      /** The receiver takes no more at the moment, which is no failed attempt. */
      isLimited?: true;
      /** How far it has come, where a part was done and the rest waits. */
      handle?: string;
    }
  /** Trying again cannot help. */
  | { outcome: 'failed'; reason: string };

/** What became of one attempt to reach somebody. */
export type SendResult = { outcome: 'delivered' } | Refused;
