import { type Bucket, bucketKey, bucketStreamName, bucketSubject } from '@placet/events';
import { type BusContext, readBatch } from '@placet/runtime';
import type * as z from 'zod';

const batch = 500;

type Followed<Entry> = { bucket: Bucket; prefix: string; schema: z.ZodType<Entry> };

/**
 * Reads the entries under a prefix on from the last change that was seen, so that every instance knows what another one
 * left behind.
 */
export function followLedger<Entry>(
  context: BusContext,
  { bucket, prefix, schema }: Followed<Entry>,
  learn: (key: string, entry: Entry, revision: number) => void,
): () => Promise<void> {
  let seen = 0;
  let following: Promise<void> | undefined;

  async function readOn(): Promise<void> {
    const filter = bucketSubject(bucket, `${prefix}.>`);
    for (let isMore = true; isMore; ) {
      const read = await readBatch(context, bucketStreamName(bucket), seen + 1, batch, filter);
      for (const { seq, subject, data } of read.messages) {
        seen = Math.max(seen, seq);
        const key = bucketKey(bucket, subject);
        const entry = schema.safeParse(jsonOf(data));
        if (entry.success) learn(key, entry.data, seq);
        else
          context.logger.error({ key, bucket }, 'an entry of the ledger cannot be read, and is left alone');
      }
      isMore = read.isMore && read.messages.length > 0;
    }
  }

  return async () => {
    following ??= readOn().finally(() => {
      following = undefined;
    });
    await following;
  };
}

function jsonOf(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
