import { eventRoot, liveRoot, typeFilter } from './subjects.ts';

export const eventStream = 'PLACET';
export const configStream = 'PLACET_CONFIG';

/**
 * What makes the rules of the design hold in the broker itself: each subject is written once and for all, and what
 * comes out under the live root has been stored.
 */
export const eventStreamRules = {
  name: eventStream,
  subjects: [`${eventRoot}.act.>`, `${eventRoot}.note.>`, `${eventRoot}.sys.>`],
  max_msgs_per_subject: 1,
  discard: 'new',
  discard_new_per_subject: true,
  deny_delete: true,
  deny_purge: true,
  allow_direct: true,
  republish: { src: `${eventRoot}.>`, dest: `${liveRoot}.>` },
} as const;

export type CounterStream = {
  name: string;
  token: string;
  windowMsMax: number;
  keptMs: number;
  /** Of one count the newest additions: who is given a request again reads what the total was after the first time. */
  history: number;
};

const counterStream = (token: string, windowMsMax: number, history: number): CounterStream => ({
  name: `PLACET_COUNT_${token.toUpperCase()}`,
  token,
  windowMsMax,
  keptMs: 2 * windowMsMax,
  history,
});

/**
 * What policies count: one subject a count and window, whose newest message holds the total. The broker forgets whole
 * windows by their age, so short ones have a stream of their own: nothing is forgotten before its window has ended
 * twice.
 */
export const counterStreams = [
  counterStream('hour', 3_600_000, 10_000),
  // Twice what the policy service works at, with room.
  counterStream('day', 86_400_000, 2500),
  counterStream('month', 31 * 86_400_000, 2500),
] as const satisfies readonly CounterStream[];

/** How long the broker knows that an action was counted. */
export const countedOnceMs = 6 * 60_000;

const counterRoot = 'placetcount';
export const counterFilter = ({ token }: CounterStream) => `${counterRoot}.${token}.>`;

/** The count `id`, a token, in the window that a moment falls into. Windows begin with 1970. */
export function counterPlace(
  id: string,
  windowMs: number,
  at: Date,
): { stream: CounterStream; subject: string } {
  const stream = counterStreams.find(({ windowMsMax }) => windowMs <= windowMsMax);
  if (!stream) throw new Error(`no counter has a window of ${windowMs} ms`);
  const window = Math.floor(at.getTime() / windowMs);
  return { stream, subject: `${counterRoot}.${stream.token}.${id}.${windowMs}.${window}` };
}

/** What changes how an approval looks where it stands. */
const cardTypes = [
  'approval.needed',
  'approval.voted',
  'approval.edited',
  'approval.escalated',
  'approval.reassigned',
  'approval.reminded',
  'approval.commented',
  'approval.closed',
] as const;

/**
 * The durable consumers, one a service (the notifier: one a kind of channel). `ackWaitMs` is longer than a handler
 * takes while the broker answers, and how long a message waits for another instance when its own has died.
 */
export const consumers = {
  policy: {
    service: 'policy',
    durable: 'policy',
    filters: [typeFilter('action.requested'), typeFilter('approval.edited')],
    maxAckPending: 1000,
    ackWaitMs: 5000,
  },
  notifierSlack: {
    service: 'notifier',
    durable: 'notifier-slack',
    // What could not be delivered elsewhere may be sent here.
    filters: [...cardTypes, 'notification.failed' as const].map(typeFilter),
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
  notifierPagerduty: {
    service: 'notifier',
    durable: 'notifier-pagerduty',
    filters: cardTypes.map(typeFilter),
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
  notifierEmail: {
    service: 'notifier',
    durable: 'notifier-email',
    filters: [...cardTypes, 'notification.failed' as const].map(typeFilter),
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
  /** For approvals that no channel can tell anybody of. */
  notifierUntold: {
    service: 'notifier',
    durable: 'notifier-untold',
    filters: [
      typeFilter('approval.needed'),
      typeFilter('approval.escalated'),
      typeFilter('approval.reassigned'),
    ],
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
  notifierWebhook: {
    service: 'notifier',
    durable: 'notifier-webhook',
    filters: [
      typeFilter('approval.needed'),
      typeFilter('approval.reminded'),
      typeFilter('approval.escalated'),
      typeFilter('approval.reassigned'),
      typeFilter('approval.closed'),
    ],
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
  /**
   * Apart from the others, because there may be thousands a second of them: it is read only while somebody wants to be
   * told, and costs nothing otherwise.
   */
  notifierDecided: {
    service: 'notifier',
    durable: 'notifier-decided',
    filters: [typeFilter('action.decided')],
    maxAckPending: 5000,
    ackWaitMs: 30_000,
  },
} as const;
export type ConsumerSpec = {
  durable: string;
  filters: readonly string[];
  maxAckPending: number;
  ackWaitMs: number;
};
