import { createHash } from 'node:crypto';
import type { Msg } from '@nats-io/transport-node';
import { type CounterStream, counterPlace } from '@placet/events';
import type { BusContext } from './context.ts';
import { Unavailable } from './errors.ts';
import { headerOf } from './headers.ts';
import { sleep } from './lifecycle.ts';

/** One count in one window. */
export type CountPlace = { stream: CounterStream; subject: string };

/** A count is known by a text that may hold anything, and a subject may not. */
export function countToken(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 27);
}

export function countPlace(id: string, windowMs: number, at: Date): CountPlace {
  return counterPlace(countToken(id), windowMs, at);
}

/**
 * What became of an addition: the total right after it, and by how much it went up. `isRepeated` tells that the addition
 * of this id was made before, and then both are what they were then.
 */
export type Added = { total: bigint; units: bigint; isRepeated: boolean };

/** It was counted before, and the broker has let go of what the total was then. */
export class CountForgotten extends Unavailable {}

const attemptsMax = 2;

/**
 * Adds to a count, once for its id: over any number of instances and repetitions, as long as the broker knows the id.
 * Throws `Unavailable` when it cannot be told what became of it.
 */
export async function addToCount(
  context: Pick<BusContext, 'sender' | 'jsm'>,
  place: CountPlace,
  units: bigint,
  id: string,
): Promise<Added> {
  const header = headerOf({ 'Nats-Incr': units < 0n ? `${units}` : `+${units}`, 'Nats-Msg-Id': id });
  let cause: unknown;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    try {
      return await addedBy(
        context,
        place,
        units,
        id,
        await context.sender.request(place.subject, '', header),
      );
    } catch (error) {
      if (error instanceof CountForgotten) throw error;
      cause = error;
    }
    if (attempt < attemptsMax) await sleep(20 * attempt);
  }
  throw new Unavailable('the broker did not confirm what was counted', { cause });
}

type Answer = { seq?: number; val?: string; duplicate?: boolean; error?: { description?: string } };

async function addedBy(
  context: Pick<BusContext, 'jsm'>,
  place: CountPlace,
  units: bigint,
  id: string,
  answer: Msg,
): Promise<Added> {
  const { seq, val, duplicate, error } = answer.json<Answer>();
  if (error) throw new Error(error.description ?? 'the broker refused to count');
  if (duplicate && seq !== undefined) return addedBefore(context, place, id, seq);
  if (val === undefined) throw new Error('an answer without a total');
  return { total: BigInt(val), units, isRepeated: false };
}

/** Asked of the leader: another node may not have it yet. */
async function addedBefore(
  { jsm }: Pick<BusContext, 'jsm'>,
  { stream, subject }: CountPlace,
  id: string,
  seq: number,
): Promise<Added> {
  const found = await jsm.streams.getMessage(stream.name, { seq });
  const units = found?.header?.get('Nats-Incr');
  if (!found || found.subject !== subject || found.header?.get('Nats-Msg-Id') !== id || !units)
    throw new CountForgotten('what was counted before is not there any more');
  return { total: totalIn(found.string()), units: BigInt(units), isRepeated: true };
}

/** Where a count stands, as near as any node knows. */
export async function readCount(
  { jsm }: Pick<BusContext, 'jsm'>,
  { stream, subject }: CountPlace,
): Promise<bigint> {
  try {
    const found = await jsm.direct.getMessage(stream.name, { last_by_subj: subject });
    return found ? totalIn(found.string()) : 0n;
  } catch (error) {
    throw new Unavailable('a count cannot be read', { cause: error });
  }
}

function totalIn(body: string): bigint {
  return BigInt((JSON.parse(body) as { val: string }).val);
}
