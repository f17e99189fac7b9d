import { accountOf, importedReplies, insideOf, type Permissions } from './accounts.ts';
import { bucketStreamName, bucketSubject, bucketUsers } from './buckets.ts';
import { entryOf, eventTypes, holdsSeal } from './catalogue.ts';
import type { Service } from './names.ts';
import { answererOf, askerOf, type RequestSubject, replySubject, requests } from './requests.ts';
import {
  type CounterStream,
  configStream,
  consumers,
  counterFilter,
  counterStreams,
  eventStream,
} from './streams.ts';
import { inboxPrefix, liveSubject, typeFilter } from './subjects.ts';

/** Who is told what has been stored, by the live subjects. */
const liveReaders = {
  gateway: [
    'action.decided',
    'approval.needed',
    'approval.voted',
    'approval.edited',
    'approval.escalated',
    'approval.reassigned',
  ],
  decisions: ['approval.needed', 'approval.voted'],
} as const;

/** What the user of a service may do on the broker, as seen from within its own account. */
export function permissionsOf(service: Service): Permissions {
  return insideOf(accountOf(service), needsOf(service));
}

/**
 * The subjects that each service needs of the account of the stream, from the same tables that its code uses. This is
 * the second wall: JetStream answers to any subject of its account that a request names, so whoever has a password of
 * that account can have a stored message sent anywhere in it. The first wall is the seal, and the proof where a reader
 * holds no key.
 */
export function needsOf(service: Service): Permissions {
  return {
    publish: [
      ...eventTypes.filter((type) => entryOf(type).emitters.includes(service)).map(typeFilter),
      ...directGet(eventStream),
      // Reads that must be current go to the leader. Who holds no key acts on none.
      ...(holdsSeal(service) ? [api('STREAM.MSG.GET', eventStream), api('STREAM.INFO', eventStream)] : []),
      // Whether there are streams that are none of ours.
      ...(service === 'gateway' ? [api('STREAM.NAMES')] : []),
      ...(service === 'audit'
        ? [...directGet(configStream), api('STREAM.INFO', eventStream), api('STREAM.INFO', configStream)]
        : []),
      ...(service === 'policy' ? counterStreams.flatMap(counting) : []),
      ...ownConsumers(service),
      ...Object.entries(bucketUsers).flatMap(([bucket, users]) => bucketSubjects(service, bucket, users)),
      ...Object.values(requests).flatMap((subject) => {
        if (service === askerOf(subject)) return [subject];
        return answererOf(subject) === service ? [repliesTo(askerOf(subject), subject)] : [];
      }),
    ].filter(isFirst),
    subscribe: [
      `${inboxPrefix(service)}.>`,
      ...Object.values(requests).filter((subject) => answererOf(subject) === service),
      ...liveTypes(service).map((type) => liveSubject(typeFilter(type))),
    ],
  };
}

/** Within an account into the inbox of who asks; to another one where the broker says. */
function repliesTo(asker: Service, subject: RequestSubject): string {
  const isInside = accountOf(asker) === accountOf(answererOf(subject));
  return isInside ? replySubject(asker, subject, '*') : importedReplies;
}

function liveTypes(service: Service) {
  return service === 'gateway' || service === 'decisions' ? liveReaders[service] : [];
}

const api = (call: string, ...names: string[]) => ['$JS.API', call, ...names].join('.');

const directGet = (stream: string) => [api('DIRECT.GET', stream), api('DIRECT.GET', stream, '>')];

/** To count, and to see what the total was then and how much room there is. */
const counting = (stream: CounterStream) => [
  counterFilter(stream),
  ...directGet(stream.name),
  api('STREAM.MSG.GET', stream.name),
  api('STREAM.INFO', stream.name),
];

function ownConsumers(service: Service): string[] {
  return Object.values(consumers)
    .filter((consumer) => consumer.service === service)
    .flatMap(({ durable }) => consumerSubjects(durable));
}

/** To work through a consumer that is there already. */
export function consumerSubjects(durable: string): string[] {
  return [
    api('CONSUMER.INFO', eventStream, durable),
    api('CONSUMER.MSG.NEXT', eventStream, durable),
    `$JS.ACK.${eventStream}.${durable}.>`,
  ];
}

function bucketSubjects(
  service: Service,
  bucket: string,
  { writers, followers }: (typeof bucketUsers)[keyof typeof bucketUsers],
): string[] {
  const stream = bucketStreamName(bucket);
  const writes = writers.includes(service);
  const follows = followers.includes(service);
  return [
    ...(writes ? [bucketSubject(bucket, '>')] : []),
    ...(writes || follows ? [api('STREAM.INFO', stream)] : []),
    // A ledger is looked up, key by key.
    ...(writes && !follows ? [...directGet(stream), api('STREAM.MSG.GET', stream)] : []),
    // To follow a bucket is to make a consumer of one's own on it.
    ...(follows
      ? [
          api('CONSUMER.CREATE', stream, '>'),
          api('CONSUMER.INFO', stream, '*'),
          api('CONSUMER.DELETE', stream, '*'),
          `$JS.FC.${stream}.>`,
        ]
      : []),
  ];
}

const isFirst = (subject: string, i: number, all: string[]) => all.indexOf(subject) === i;

/** Another system that follows decisions by a durable consumer of its own, made at deploy. */
export function subscriberPermissions(name: string): Permissions {
  return insideOf(accountOf(subscriberUser(name)), subscriberNeeds(name));
}

export function subscriberNeeds(name: string): Permissions {
  return {
    publish: consumerSubjects(subscriberDurable(name)),
    subscribe: [`${inboxPrefix(subscriberUser(name))}.>`, liveSubject(typeFilter('action.decided'))],
  };
}

export const subscriberUser = (name: string) => `subscriber-${name}`;
export const subscriberDurable = (name: string) => `subscriber-${name}`;

/** Whoever makes streams, consumers and buckets, and runs only for that. */
export const deployPermissions: Permissions = {
  publish: ['$JS.API.>'],
  subscribe: [`${inboxPrefix('deploy')}.>`],
};
