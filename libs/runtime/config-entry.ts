import type { ConfigBucket } from '@placet/events';
import type * as z from 'zod';
import { Change, openSealed } from './config-value.ts';
import type { BusContext } from './context.ts';

export type ConfigEntry<T> =
  | { status: 'valid'; key: string; value: T; revision: number; by: string; at: string; why?: string }
  | { status: 'forged'; key: string; revision: number; problem: string };
export type ValidEntry<T> = Extract<ConfigEntry<T>, { status: 'valid' }>;

/** A revision of a value as the bucket holds it. */
export type StoredRevision = { key: string; revision: number; operation: string; text: string };

export type ReadEntry<T> = (
  stored: StoredRevision,
  previousRevision: number | undefined,
) => { entry: ConfigEntry<T>; isSealedBefore: boolean };

/**
 * A value is believed only when it carries our seal and names the revision before it, so that an old value put back is
 * seen. The seal may be of a key that is only accepted.
 */
export function createEntryReader<T>(
  context: BusContext,
  { bucket, schema }: { bucket: ConfigBucket; schema: z.ZodType<T> },
): ReadEntry<T> {
  return ({ key, revision, operation, text }, previousRevision) => {
    const forged = (problem: string) => {
      return { entry: { status: 'forged' as const, key, revision, problem }, isSealedBefore: false };
    };
    if (operation !== 'PUT') return forged('the value was deleted, which Placet never does');
    const { opened, seal } = openSealed(context, `${bucket}.${key}`, text);
    if (!opened) return forged('the value does not carry our seal');
    const change = Change.safeParse(opened);
    if (!change.success) return forged('the value has not our form');
    // The first of the revisions that the bucket still keeps has nothing before it to compare with.
    if (previousRevision !== undefined && change.data.replaces !== previousRevision) {
      return forged(
        `the value replaces revision ${change.data.replaces}, not ${previousRevision}: an old one put back`,
      );
    }
    const value = schema.safeParse(change.data.value);
    if (!value.success) return forged(`the value does not fit: ${value.error.message}`);
    const { by, at, why } = change.data;
    const because = why === undefined ? {} : { why };
    return {
      entry: { status: 'valid', key, value: value.data, revision, by, at, ...because },
      isSealedBefore: context.sealer !== null && !context.sealer.isCurrent(seal),
    };
  };
}
