import { JetStreamApiError } from '@nats-io/jetstream';
import { type KV, Kvm, type KvWatchEntry, KvWatchInclude } from '@nats-io/kv';
import type { ConfigBucket } from '@placet/events';
import * as z from 'zod';
import { causeId, type RaiseAlarm } from './alarms.ts';
import type { BusContext } from './bus.ts';
import { Refusal, StoreFull, Unavailable } from './errors.ts';
import { backoffMs, type Resources, sleep } from './lifecycle.ts';

/** Who changed a value of the configuration, when and why, and the revision that it replaced. */
const Change = z.object({
  value: z.unknown(),
  by: z.string(),
  at: z.iso.datetime(),
  why: z.string().optional(),
  replaces: z.number().int().nonnegative(),
});

/** A change is stored by then in any case; only this instance may not have seen it yet. */
const seeWithinMs = 5000;

export type ConfigEntry<T> =
  | { status: 'valid'; key: string; value: T; revision: number; by: string; at: string; why?: string }
  | { status: 'forged'; key: string; revision: number; problem: string };
export type ValidEntry<T> = Extract<ConfigEntry<T>, { status: 'valid' }>;

export type ConfigStore<T> = {
  get(key: string): ConfigEntry<T> | undefined;
  all(): ConfigEntry<T>[];
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
  options: { bucket: ConfigBucket; schema: z.ZodType<T> },
): Promise<ConfigStore<T>> {
  const { bucket, schema } = options;
  const kv = await new Kvm(context.js).open(bucket);
  const entries = new Map<string, ConfigEntry<T>>();
  const listeners: ((entry: ConfigEntry<T>) => void)[] = [];
  const stopping = new AbortController();
  let seen = 0;
  let wake: (() => void)[] = [];

  function read(entry: KvWatchEntry): void {
    const previous = entries.get(entry.key);
    if (entry.revision <= (previous?.revision ?? 0)) return;
    const next = readEntry(entry, previous?.revision);
    entries.set(entry.key, next);
    seen = Math.max(seen, entry.revision);
    if (next.status === 'forged') void raise(next);
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

  function readEntry(entry: KvWatchEntry, previousRevision: number | undefined): ConfigEntry<T> {
    const forged = (problem: string): ConfigEntry<T> => {
      return { status: 'forged', key: entry.key, revision: entry.revision, problem };
    };
    if (entry.operation !== 'PUT') return forged('the value was deleted, which Placet never does');
    const opened = openSealed(context, `${bucket}.${entry.key}`, entry.string());
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
    return {
      status: 'valid',
      key: entry.key,
      value: value.data,
      revision: entry.revision,
      by,
      at,
      ...(why === undefined ? {} : { why }),
    };
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
        stopping.signal.addEventListener('abort', stop);
        if (stopping.signal.aborted) stop();
        const { values } = await kv.status();
        if (values === 0) onReady();
        for await (const entry of watch) {
          read(entry);
          attempt = 0;
          if (entry.delta === 0 || entry.isUpdate) onReady();
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

  async function put(key: string, value: T, change: { by: string; why?: string; expected: number }) {
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

  await new Promise<void>((ready) => {
    const following = follow(ready);
    resources.add(`configuration ${bucket}`, async () => {
      stopping.abort();
      await following;
    });
  });

  return {
    get: (key) => entries.get(key),
    all: () => [...entries.values()],
    put,
    onChange: (listener) => void listeners.push(listener),
  };
}

async function update(kv: KV, key: string, text: string, expected: number): Promise<number> {
  try {
    return await kv.put(key, text, { previousSeq: expected });
  } catch (error) {
    if (error instanceof JetStreamApiError && (error.code === 10071 || error.code === 10164)) {
      throw new Refusal('REVISION_CONFLICT', { cause: error });
    }
    if (error instanceof JetStreamApiError && error.code === 10077) {
      throw new StoreFull('the bucket of the configuration is full', { cause: error });
    }
    throw new Unavailable('the configuration could not be changed', { cause: error });
  }
}

/** The seal is the last member of the value, so that the value stays readable JSON. */
function sealInto(context: BusContext, place: string, body: string): string {
  if (!context.sealer) throw new Error(`${context.service} holds no key and changes no configuration`);
  return `${body.slice(0, -1)},"seal":"${context.sealer.seal(place, body)}"}`;
}

function openSealed(context: BusContext, place: string, text: string): unknown {
  const match = /^(.*),"seal":"([^"]+)"\}$/s.exec(text);
  if (!match) return undefined;
  const body = `${match[1]}}`;
  if (context.sealer && !context.sealer.check(place, body, match[2])) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    // It must not throw: the value before it would stay in force, and no later one would be read.
    return undefined;
  }
}
