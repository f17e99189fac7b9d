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

/**
 * The durable consumers, one a service (the notifier: one a kind of channel). `ackWaitMs` is longer than a handler
 * takes, and how long a message waits for another instance when its own has died.
 */
export const consumers = {
  policy: {
    service: 'policy',
    durable: 'policy',
    filters: [typeFilter('action.requested')],
    maxAckPending: 1000,
    ackWaitMs: 5000,
  },
  notifierWebhook: {
    service: 'notifier',
    durable: 'notifier-webhook',
    filters: [typeFilter('approval.needed'), typeFilter('approval.closed')],
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
