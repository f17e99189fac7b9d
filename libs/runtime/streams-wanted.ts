import type { StreamConfig } from '@nats-io/jetstream';
import {
  bucketStreamName,
  bucketSubject,
  cardsBucket,
  clicksBucket,
  configBuckets,
  configStream,
  countedOnceMs,
  counterFilter,
  counterStreams,
  deliveriesBucket,
  eventStreamRules,
  mailLinksBucket,
  sessionsBucket,
} from '@placet/events';

export type StreamSizes = {
  maxBytes: number;
  maxAgeMs: number;
  replicas: number;
  /** Other systems that follow decisions, by name. */
  subscribers?: readonly string[];
  /** Whether the streams may keep less than they do: for a shorter time, in fewer copies, in less room. */
  mayKeepLess?: boolean;
};

export const nanos = (ms: number) => ms * 1_000_000;
/** The gateway's greatest request fits in four times; nobody fills the stream with a few messages. */
const eventBytesMax = 2 ** 20;
/** How many revisions of a value a bucket keeps. */
export const configHistory = 64;
const configBytesMax = 256 * 2 ** 20;

/** A click can be sent again for five minutes after its timestamp, which may be as far ahead of our clock. */
const clicksKeptMs = 15 * 60_000;
const clicksBytesMax = 16 * 2 ** 20;

export type StreamWanted = Partial<StreamConfig> & { name: string };

/** What is stored stays until the stream's own limits take it: no reader, publisher or header ends it earlier. */
const lasting = { retention: 'limits', allow_msg_ttl: false, allow_rollup_hdrs: false } as const;
const unerasable = { deny_delete: true, deny_purge: true } as const;

/** Every stream and bucket of a deployment, as it is made. */
export function streamsFor({ maxBytes, maxAgeMs, replicas }: StreamSizes): StreamWanted[] {
  const kept = { storage: 'file', num_replicas: replicas, allow_direct: true, discard: 'new' } as const;
  return [
    {
      ...eventStreamRules,
      ...lasting,
      ...kept,
      subjects: [...eventStreamRules.subjects],
      max_bytes: maxBytes,
      max_msg_size: eventBytesMax,
      max_age: nanos(maxAgeMs),
      duplicate_window: nanos(120_000),
    },
    // With its newest revision deleted, or the ones before it rolled up, a bucket would show an old value as the one in
    // force, and nobody could tell.
    ...Object.values(configBuckets).map((bucket) => ({
      ...bucketStream(bucket, configHistory),
      ...lasting,
      ...unerasable,
      ...kept,
    })),
    ...[deliveriesBucket, cardsBucket, sessionsBucket, mailLinksBucket].map((bucket) => ({
      ...bucketStream(bucket, 1),
      ...lasting,
      ...kept,
      // A link takes no room when its time is over. One that is gone too early opens nothing. Nor does what an approval
      // looked like that has ended.
      allow_msg_ttl: bucket !== deliveriesBucket,
      deny_delete: true,
      max_age: nanos(maxAgeMs),
    })),
    {
      ...bucketStream(clicksBucket, 1),
      ...lasting,
      ...kept,
      ...unerasable,
      max_bytes: clicksBytesMax,
      max_age: nanos(clicksKeptMs),
    },
    {
      ...lasting,
      ...unerasable,
      ...kept,
      name: configStream,
      sources: Object.values(configBuckets).map((bucket) => ({ name: bucketStreamName(bucket) })),
      max_bytes: configBytesMax * 4,
    },
    // The broker lets counters only be forgotten, never refused: whoever counts looks at the room beforehand.
    ...counterStreams.map((stream) => ({
      ...lasting,
      ...unerasable,
      ...kept,
      name: stream.name,
      subjects: [counterFilter(stream)],
      discard: 'old' as const,
      allow_msg_counter: true,
      max_msgs_per_subject: stream.history,
      max_age: nanos(stream.keptMs),
      duplicate_window: nanos(countedOnceMs),
    })),
  ];
}

/** A bucket is a stream with a name and subjects that the clients know. */
function bucketStream(bucket: string, history: number): StreamWanted {
  return {
    name: bucketStreamName(bucket),
    subjects: [bucketSubject(bucket, '>')],
    max_msgs_per_subject: history,
    max_bytes: configBytesMax,
  };
}
