import type { JsMsg } from '@nats-io/jetstream';
import { bucketStreamName, bucketSubject, type ConfigBucket } from '@placet/events';
import type { ConfigEntry, ReadEntry, StoredRevision } from './config-entry.ts';
import type { BusContext } from './context.ts';
import { Unavailable } from './errors.ts';
import { sleep } from './lifecycle.ts';

/** How long the broker may be silent in the middle of an answer. */
const silentMaxMs = 5000;
/** A node that is behind what this instance has seen already catches up in milliseconds. */
const patienceMs = [20, 100, 400];

/**
 * All revisions of a value that the bucket keeps, oldest first, each judged as it would have been when it came. What
 * this instance follows of the bucket says which value is the newest, and whether it is ours.
 */
export async function readConfigHistory<T>(
  context: BusContext,
  bucket: ConfigBucket,
  newest: ConfigEntry<T>,
  readEntry: ReadEntry<T>,
): Promise<ConfigEntry<T>[]> {
  for (const waitMs of [...patienceMs, null]) {
    const stored = await readRevisions(context, bucket, newest.key);
    const entries = stored.map((revision, i) => readEntry(revision, stored[i - 1]?.revision).entry);
    if ((entries.at(-1)?.revision ?? 0) >= newest.revision) {
      return entries.map((entry) => (entry.revision === newest.revision ? newest : entry));
    }
    if (waitMs !== null) await sleep(waitMs);
  }
  throw new Unavailable(`${bucket}, ${newest.key}: the broker answers with less than was there before`);
}

/** By a consumer, as whoever follows the bucket has it: it takes no permission that a follower has not. */
async function readRevisions(
  { js }: Pick<BusContext, 'js'>,
  bucket: ConfigBucket,
  key: string,
): Promise<StoredRevision[]> {
  try {
    const filter_subjects = bucketSubject(bucket, key);
    const consumer = await js.consumers.getPushConsumer(bucketStreamName(bucket), { filter_subjects });
    try {
      const { num_pending } = await consumer.info(true);
      return await take(consumer, num_pending, (message) => storedRevision(key, message));
    } finally {
      // Left alone it would stay with the broker for minutes.
      consumer.delete().catch(() => {});
    }
  } catch (error) {
    throw new Unavailable('the history of a value cannot be read', { cause: error });
  }
}

type Consumer = Awaited<ReturnType<BusContext['js']['consumers']['getPushConsumer']>>;

/** What was there when the consumer was made, and no more: who keeps changing the value keeps nobody waiting. */
async function take<R>(consumer: Consumer, count: number, read: (message: JsMsg) => R): Promise<R[]> {
  const taken: R[] = [];
  if (count === 0) return taken;
  const whole = Promise.withResolvers<void>();
  const timer = setTimeout(() => whole.reject(new Error('a bucket fell silent')), silentMaxMs);
  const messages = await consumer.consume({
    callback: (message) => {
      timer.refresh();
      taken.push(read(message));
      if (taken.length >= count || message.info.pending === 0) whole.resolve();
    },
  });
  try {
    await whole.promise;
    return taken;
  } finally {
    clearTimeout(timer);
    messages.stop();
  }
}

function storedRevision(key: string, message: JsMsg): StoredRevision {
  const operation = message.headers?.get('KV-Operation') || 'PUT';
  return { key, revision: message.seq, operation, text: message.string() };
}
