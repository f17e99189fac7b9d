import { JetStreamApiError, type StoredMsg } from '@nats-io/jetstream';
import { type Bucket, bucketStreamName, bucketSubject } from '@placet/events';
import * as z from 'zod';
import { type BusContext, sealHolds } from './context.ts';
import { readDirect } from './direct.ts';
import { StoreFull, Unavailable } from './errors.ts';
import { isLostRace } from './lost-race.ts';

export type KeptValue<T> = { key: string; value: T; revision: number };

/** Values that a service keeps for itself, each changed by whoever saw it last. */
export type KeptValues<T> = {
  get(key: string): Promise<KeptValue<T> | null>;
  /** All whose keys begin so, up to a dot. */
  list(prefix: string): Promise<KeptValue<T>[]>;
  /**
   * False when somebody else changed it meanwhile; 0 is for one that is not there yet. With an end it is kept until
   * then, where the bucket lets that be said.
   */
  put(key: string, value: T, expected: number, end?: Date): Promise<number | false>;
};

/** The bucket is at its cap, or the disk or the account is. */
const fullCodes = new Set([10077, 10023, 10047]);
export const isFull = (error: unknown): boolean =>
  error instanceof JetStreamApiError && fullCodes.has(error.code);

const Sealed = z.object({ value: z.string(), seal: z.string() });

/** Under our seal: who can write to the bucket alone can put nothing into it. */
export function openKeptValues<T>(context: BusContext, bucket: Bucket, schema: z.ZodType<T>): KeptValues<T> {
  const { js, jsm, sealer } = context;
  if (!sealer) throw new Error(`the values of ${bucket} are sealed, and ${context.service} has no key`);
  const stream = bucketStreamName(bucket);
  const subjectOf = (key: string) => bucketSubject(bucket, key);

  /** Null where it is not ours, or not of this form. */
  function opened({ subject, data, seq }: Pick<StoredMsg, 'subject' | 'data' | 'seq'>): KeptValue<T> | null {
    try {
      const { value, seal } = Sealed.parse(JSON.parse(new TextDecoder().decode(data)));
      if (!sealHolds(context, subject, value, seal)) return null;
      return {
        key: subject.slice(subjectOf('').length),
        value: schema.parse(JSON.parse(value)),
        revision: seq,
      };
    } catch {
      return null;
    }
  }

  return {
    async get(key) {
      try {
        // From the leader: what was just written has to be there.
        const found = await jsm.streams.getMessage(stream, { last_by_subj: subjectOf(key) });
        return found && opened(found);
      } catch (error) {
        throw new Unavailable(`a value of ${bucket} cannot be read`, { cause: error });
      }
    },

    async list(prefix) {
      try {
        const found = await readDirect(context, stream, { multi_last: [subjectOf(`${prefix}.>`)] });
        return found.flatMap((message) => opened(message) ?? []);
      } catch (error) {
        throw new Unavailable(`values of ${bucket} cannot be read`, { cause: error });
      }
    },

    async put(key, value, expected, end) {
      const text = JSON.stringify(value);
      const body = JSON.stringify({ value: text, seal: sealer.seal(subjectOf(key), text) });
      try {
        const expect = { lastSubjectSequence: expected };
        const options = end ? { expect, ttl: ttlUntil(end) } : { expect };
        return (await js.publish(subjectOf(key), body, options)).seq;
      } catch (error) {
        if (isLostRace(error)) return false;
        if (isFull(error)) {
          throw new StoreFull(`there is no room in ${bucket}`, { cause: error });
        }
        throw new Unavailable(`a value of ${bucket} cannot be written`, { cause: error });
      }
    },
  };
}

/** The broker counts in whole seconds, of which there has to be one. */
export const ttlUntil = (end: Date) => `${Math.max(1, Math.ceil((end.getTime() - Date.now()) / 1000))}s`;
