import { JetStreamApiError } from '@nats-io/jetstream';
import { type KV, Kvm, type KvWatchEntry, KvWatchInclude } from '@nats-io/kv';
import { bucketUsers, type ConfigBucket } from '@placet/events';
import type * as z from 'zod';
import { causeId, type RaiseAlarm } from './alarms.ts';
import { type ConfigEntry, createEntryReader } from './config-entry.ts';
import { readConfigHistory } from './config-history.ts';
import { Change, openSealed, sealInto } from './config-value.ts';
import type { BusContext } from './context.ts';
import { Refusal, StoreFull, Unavailable } from './errors.ts';
import { backoffMs, type Resources, sleep } from './lifecycle.ts';
import { isLostRace } from './lost-race.ts';
import { configHistory } from './streams-wanted.ts';

/** A change is stored by then in any case; only this instance may not have seen it yet. */
const seeWithinMs = 5000;
/** How often it is looked at whether we were told of all that was changed. */
const compareEveryMs = 2000;

export type ConfigStore<T> = {
  get(key: string): ConfigEntry<T> | undefined;
  all(): ConfigEntry<T>[];
  /** Every revision of a key that the bucket keeps, oldest first; empty where `get` knows of none. */
  history(key: string): Promise<ConfigEntry<T>[]>;
  /** Replaces `expected` (0: there is none yet), or throws REVISION_CONFLICT. Returns once this instance sees it. */
  put(key: string, value: T, change: { by: string; why?: string; expected: number }): Promise<number>;
  onChange(listener: (entry: ConfigEntry<T>) => void): void;
};

/**
 * One bucket of the configuration, followed in memory. A value is believed only when it carries our seal and names
 * the revision before it, so that an old value put back is seen; what cannot be believed is an alarm, and whoever
 * depends on it denies.
 */
export async function openConfigStore<T>(
  context: BusContext,
  alarm: RaiseAlarm,
  resources: Resources,
  options: { bucket: ConfigBucket; schema: z.ZodType<T>; compareEveryMs?: number },
): Promise<ConfigStore<T>> {
  const { bucket } = options;
  const readEntry = createEntryReader(context, options);
  const kv = await new Kvm(context.js).open(bucket);
  const entries = new Map<string, ConfigEntry<T>>();
  /** Keys whose value is valid, and carries the seal of a key that is only accepted. */
  const sealedBefore = new Set<string>();
  const listeners: ((entry: ConfigEntry<T>) => void)[] = [];
  const stopping = new AbortController();
  /** Keys that had a forged value since the last look. */
  const suspects = new Set<string>();
  /** What the bucket keeps of each key, until a start has read all of it. */
  const kept = new Map<string, { first: KvWatchEntry; count: number }>();
  let isFirstLook = true;
  let seen = 0;
  let told = 0;
  let followAnew = () => {};
  let wake: (() => void)[] = [];

  function read(entry: KvWatchEntry): void {
    told += 1;
    const previous = entries.get(entry.key);
    if (entry.revision <= (previous?.revision ?? 0)) return;
    sealedBefore.delete(entry.key);
    if (isFirstLook)
      kept.set(entry.key, {
        first: entry,
        ...kept.get(entry.key),
        count: (kept.get(entry.key)?.count ?? 0) + 1,
      });
    const { key, revision, operation } = entry;
    const stored = { key, revision, operation, text: entry.string() };
    const { entry: next, isSealedBefore } = readEntry(stored, previous?.revision);
    if (isSealedBefore) sealedBefore.add(key);
    entries.set(entry.key, next);
    seen = Math.max(seen, entry.revision);
    if (next.status === 'forged') suspects.add(entry.key);
    for (const listener of listeners) tell(listener, next);
    const woken = wake;
    wake = [];
    for (const w of woken) w();
  }

  /** One listener that fails must not keep the others, nor the entries after this one, from being heard. */
  function tell(listener: (entry: ConfigEntry<T>) => void, entry: ConfigEntry<T>): void {
    try {
      listener(entry);
    } catch (error) {
      context.logger.error(
        { err: error, bucket, key: entry.key },
        'a change of the configuration was not taken in',
      );
    }
  }

  /**
   * Of what is forged, only what stands is an alarm. When a start reads the past, a value that has been replaced
   * properly by now was an alarm in its time; or its seal is of a key that has been given up since.
   */
  function raiseWhatStands(): void {
    for (const key of suspects) {
      const entry = entries.get(key);
      if (entry?.status === 'forged') void raise(entry);
    }
    suspects.clear();
  }

  /**
   * A bucket that keeps fewer revisions than it may has the first of all: one that replaces another says that somebody
   * has taken the ones before it away, and the value may be an old one.
   */
  function lookAtThePast(): void {
    for (const [key, { first, count }] of kept) {
      const change = Change.safeParse(openSealed(context, `${bucket}.${key}`, first.string()).opened);
      if (count >= configHistory || !change.success || change.data.replaces === 0) continue;
      void alarm({
        kind: 'configuration_forged',
        about: causeId(bucket, key, 'past', first.revision),
        message: `${bucket}, ${key}: the revisions before ${first.revision} were taken away; it may be an old value.`,
        details: { bucket, key, revision: String(first.revision) },
      });
    }
    kept.clear();
    isFirstLook = false;
  }

  async function raise(entry: Extract<ConfigEntry<T>, { status: 'forged' }>): Promise<void> {
    await alarm({
      kind: 'configuration_forged',
      about: causeId(bucket, entry.key, entry.revision),
      message: `${bucket}, ${entry.key}, revision ${entry.revision}: ${entry.problem}. It is not acted upon.`,
      details: { bucket, key: entry.key, revision: String(entry.revision) },
    });
  }

  async function follow(onReady: () => void): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      let stop = () => {};
      try {
        const watch = await kv.watch({ include: KvWatchInclude.AllHistory });
        stop = () => watch.stop();
        followAnew = stop;
        stopping.signal.addEventListener('abort', stop);
        if (stopping.signal.aborted) stop();
        const { values } = await kv.status();
        if (values === 0) {
          lookAtThePast();
          onReady();
        }
        for await (const entry of watch) {
          read(entry);
          attempt = 0;
          if (entry.delta !== 0 && !entry.isUpdate) continue;
          raiseWhatStands();
          lookAtThePast();
          onReady();
        }
      } catch (error) {
        context.logger.warn({ err: error, bucket }, 'the configuration cannot be followed; trying again');
      } finally {
        stop();
        stopping.signal.removeEventListener('abort', stop);
      }
      await sleep(backoffMs(attempt), stopping.signal);
    }
  }

  /**
   * Whoever is to tell us of changes may be gone, or be stopped, without our hearing of it. What stood in the bucket at
   * one look has to be known at the next one, unless there was so much to be read that we are at it still.
   */
  async function compare(): Promise<void> {
    for (let [before, toldBefore] = [0, 0]; !stopping.signal.aborted; ) {
      await sleep(options.compareEveryMs ?? compareEveryMs, stopping.signal);
      const last = await kv.status().then(
        ({ streamInfo }) => streamInfo.state.last_seq,
        () => 0,
      );
      if (stopping.signal.aborted) return;
      const missed = told === toldBefore && before > seen ? before : 0;
      [before, toldBefore] = [missed ? 0 : last, told];
      if (missed === 0) continue;
      void alarm({
        kind: 'configuration_missed',
        about: causeId(bucket, context.service, missed),
        message: `A ${context.service} service was not told of revision ${missed} of ${bucket}, and follows it anew.`,
        details: { bucket, revision: String(missed) },
      });
      followAnew();
    }
  }

  async function put(key: string, value: T, change: { by: string; why?: string; expected: number }) {
    // Whoever reads it back would take it for a forgery.
    const fits = options.schema.safeParse(value);
    if (!fits.success) throw new Error(`a value for ${bucket} does not fit`, { cause: fits.error });
    const body = JSON.stringify({
      value,
      by: change.by,
      at: new Date().toISOString(),
      ...(change.why === undefined ? {} : { why: change.why }),
      replaces: change.expected,
    });
    const revision = await update(kv, key, sealInto(context, `${bucket}.${key}`, body), change.expected);
    const deadline = Date.now() + seeWithinMs;
    while (seen < revision && Date.now() < deadline && !stopping.signal.aborted) {
      await Promise.race([new Promise<void>((resolve) => wake.push(resolve)), sleep(seeWithinMs)]);
    }
    return revision;
  }

  /**
   * Seals anew what still carries the seal of the key before, so that this one can be given up: as a change like any
   * other, by which the chain of revisions holds.
   */
  async function reseal(): Promise<void> {
    let count = 0;
    for (const key of sealedBefore) {
      const entry = entries.get(key);
      if (entry?.status !== 'valid') continue;
      const by = `service:${context.service}`;
      try {
        await put(key, entry.value, { by, why: 'sealed with the new key', expected: entry.revision });
        count += 1;
      } catch (error) {
        // Somebody has changed it meanwhile, or sealed it anew.
        if (!(error instanceof Refusal && error.code === 'REVISION_CONFLICT')) throw error;
      }
    }
    if (count > 0) context.logger.info({ bucket, count }, 'values were sealed with the new key');
  }

  await new Promise<void>((ready) => {
    const following = Promise.all([follow(ready), compare()]);
    resources.add(`configuration ${bucket}`, async () => {
      stopping.abort();
      await following;
    });
  });

  if (bucketUsers[bucket].writers.includes(context.service)) {
    await reseal().catch((error: unknown) =>
      context.logger.warn(
        { err: error, bucket },
        'not all values were sealed with the new key; the next start does',
      ),
    );
  }

  return {
    get: (key) => entries.get(key),
    all: () => [...entries.values()],
    async history(key) {
      const newest = entries.get(key);
      return newest ? readConfigHistory(context, bucket, newest, readEntry) : [];
    },
    put,
    onChange: (listener) => void listeners.push(listener),
  };
}

async function update(kv: KV, key: string, text: string, expected: number): Promise<number> {
  try {
    return await kv.put(key, text, { previousSeq: expected });
  } catch (error) {
    if (isLostRace(error)) {
      throw new Refusal('REVISION_CONFLICT', { cause: error });
    }
    if (error instanceof JetStreamApiError && error.code === 10077) {
      throw new StoreFull('the bucket of the configuration is full', { cause: error });
    }
    throw new Unavailable('the configuration could not be changed', { cause: error });
  }
}
