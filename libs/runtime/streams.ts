import { type ConsumerConfig, JetStreamApiError, type StreamConfig } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import {
  type ConsumerSpec,
  configBuckets,
  configStream,
  consumers,
  deliveriesBucket,
  eventStream,
  eventStreamRules,
} from '@placet/events';
import type { Nats } from './connection.ts';

export type StreamSizes = { maxBytes: number; maxAgeMs: number; replicas: number };

const nanos = (ms: number) => ms * 1_000_000;
const configHistory = 64;
const configBytesMax = 256 * 2 ** 20;

/** Makes every stream, bucket and consumer, or brings their limits up to date. Their rules are never weakened. */
export async function ensureStreams(nats: Nats, sizes: StreamSizes): Promise<void> {
  await ensureStream(nats, {
    ...eventStreamRules,
    ...lasting,
    subjects: [...eventStreamRules.subjects],
    storage: 'file',
    num_replicas: sizes.replicas,
    max_bytes: sizes.maxBytes,
    max_age: nanos(sizes.maxAgeMs),
    duplicate_window: nanos(120_000),
  });
  const kvm = new Kvm(nats.js);
  for (const bucket of Object.values(configBuckets)) {
    await kvm.create(bucket, { history: configHistory, replicas: sizes.replicas, max_bytes: configBytesMax });
    await keepThePast(nats, `KV_${bucket}`, sizes.replicas);
  }
  await kvm.create(deliveriesBucket, {
    history: 1,
    replicas: sizes.replicas,
    max_bytes: configBytesMax,
    ttl: sizes.maxAgeMs,
  });
  await ensureStream(nats, {
    ...lasting,
    name: configStream,
    storage: 'file',
    num_replicas: sizes.replicas,
    sources: Object.values(configBuckets).map((bucket) => ({ name: `KV_${bucket}` })),
    max_bytes: configBytesMax * 4,
    discard: 'new',
    deny_delete: true,
    deny_purge: true,
    allow_direct: true,
  });
  for (const spec of Object.values(consumers)) await ensureConsumer(nats, spec);
}

/** What is stored stays until the stream's own limits take it: no reader, publisher or header ends it earlier. */
const lasting = { retention: 'limits', allow_msg_ttl: false, allow_rollup_hdrs: false } as const;

/**
 * With its newest revision deleted, or the ones before it rolled up, a bucket would show an old value as the one in
 * force, and nobody could tell. The client's buckets allow both; ours do not.
 */
async function keepThePast(nats: Nats, stream: string, replicas: number): Promise<void> {
  const { config } = await nats.jsm.streams.info(stream);
  const wanted = { ...config, deny_delete: true, deny_purge: true, allow_rollup_hdrs: false };
  await nats.jsm.streams.update(stream, { ...wanted, num_replicas: replicas, max_bytes: configBytesMax });
}

/** Properties that hold a rule of the design; a stream that lacks one of them is refused. */
const rules = [
  'retention',
  'allow_msg_ttl',
  'allow_rollup_hdrs',
  'max_msgs_per_subject',
  'discard',
  'discard_new_per_subject',
  'deny_delete',
  'deny_purge',
] as const;

async function ensureStream(nats: Nats, wanted: Partial<StreamConfig> & { name: string }): Promise<void> {
  const found = await nats.jsm.streams.info(wanted.name).catch(notFound);
  if (!found) {
    await nats.jsm.streams.add(wanted);
    return;
  }
  for (const rule of rules) {
    // A property that is off is left out of what the broker tells.
    if (wanted[rule] !== undefined && (found.config[rule] ?? false) !== wanted[rule]) {
      throw new Error(
        `The stream ${wanted.name} exists with ${rule} = ${String(found.config[rule])} instead of ` +
          `${String(wanted[rule])}. Placet does not run on weaker rules: move the stream away, or mend it.`,
      );
    }
  }
  await nats.jsm.streams.update(wanted.name, { ...found.config, ...wanted });
}

async function ensureConsumer(nats: Nats, spec: ConsumerSpec): Promise<void> {
  const wanted: Partial<ConsumerConfig> = {
    durable_name: spec.durable,
    ack_policy: 'explicit',
    ack_wait: nanos(spec.ackWaitMs),
    max_ack_pending: spec.maxAckPending,
    filter_subjects: [...spec.filters],
    deliver_policy: 'all',
  };
  const found = await nats.jsm.consumers.info(eventStream, spec.durable).catch(notFound);
  if (!found) await nats.jsm.consumers.add(eventStream, wanted);
  else {
    await nats.jsm.consumers.update(eventStream, spec.durable, { ...found.config, ...wanted });
    if (found.paused) await nats.jsm.consumers.resume(eventStream, spec.durable);
  }
}

/**
 * A projection that was lost is built again from what the stream still holds: its consumer starts over. When it was
 * made is how a store knows whether it has seen everything since then.
 */
export async function consumerBirth(nats: Nats, spec: ConsumerSpec): Promise<string> {
  const info = await nats.jsm.consumers.info(eventStream, spec.durable);
  return String(info.created);
}

export async function restartConsumer(nats: Nats, spec: ConsumerSpec): Promise<string> {
  await nats.jsm.consumers.delete(eventStream, spec.durable);
  await ensureConsumer(nats, spec);
  return consumerBirth(nats, spec);
}

function notFound(error: unknown): null {
  // 10059: no such stream. 10014: no such consumer.
  if (error instanceof JetStreamApiError && (error.code === 10059 || error.code === 10014)) return null;
  throw error;
}
