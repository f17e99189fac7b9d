import {
  type ConsumerConfig,
  type ConsumerInfo,
  JetStreamApiError,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { type ConsumerSpec, consumers, eventStream, subscriberDurable, typeFilter } from '@placet/events';
import type { Nats } from './connection.ts';
import { UsersProblem } from './explain.ts';
import { nanos, type StreamSizes, type StreamWanted, streamsFor } from './streams-wanted.ts';

/**
 * Makes every stream, bucket and consumer, or brings their limits up to date; answers what it made or changed. Their
 * rules are never weakened. A stream of events whose rules are weaker already is refused; a bucket gets them back.
 */
export async function ensureStreams(nats: Pick<Nats, 'jsm'>, sizes: StreamSizes): Promise<string[]> {
  const changed: string[] = [];
  const note = (name: string, isChanged: boolean) => isChanged && changed.push(name);
  for (const wanted of streamsFor(sizes)) {
    note(wanted.name, await ensureStream(nats, wanted, sizes.mayKeepLess ?? false));
  }
  for (const spec of [...Object.values(consumers), ...(sizes.subscribers ?? []).map(subscriberSpec)]) {
    note(`${eventStream}/${spec.durable}`, await ensureConsumer(nats, spec));
  }
  return changed;
}

/** Properties that hold a rule of the design; a stream that lacks one of them is refused. */
export const streamRules = [
  'retention',
  'allow_msg_ttl',
  'allow_rollup_hdrs',
  'max_msgs_per_subject',
  'discard',
  'discard_new_per_subject',
  'deny_delete',
  'deny_purge',
] as const;

async function ensureStream(
  nats: Pick<Nats, 'jsm'>,
  wanted: StreamWanted,
  mayKeepLess: boolean,
): Promise<boolean> {
  const found = await nats.jsm.streams.info(wanted.name).catch(notFound);
  if (!found) {
    await nats.jsm.streams.add(wanted);
    return true;
  }
  // What a bucket let happen is seen in its values; what the stream of events let happen, nobody could tell.
  for (const rule of wanted.name.startsWith('KV_') ? [] : streamRules) {
    // A property that is off is left out of what the broker tells.
    if (wanted[rule] !== undefined && (found.config[rule] ?? false) !== wanted[rule]) {
      throw new UsersProblem(
        `The stream ${wanted.name} exists with ${rule} = ${String(found.config[rule])} instead of ` +
          `${String(wanted[rule])}. Placet does not run on weaker rules: move the stream away, or mend it.`,
      );
    }
  }
  if (!mayKeepLess) refuseToForget(found, wanted);
  const foreign = changedRules(found.config).rules.filter((rule) => !(rule in wanted));
  if (!differs(found.config, wanted) && foreign.length === 0) return false;
  // The client puts these over what it finds; what is left out of the request is off.
  const off = Object.fromEntries(foreign.map((name) => [name, undefined]));
  await nats.jsm.streams.update(wanted.name, { ...found.config, ...off, ...wanted });
  return true;
}

/** What a setting that was left out would take away at once, no rule of the stream could hold. */
function refuseToForget({ config, state }: StreamInfo, wanted: StreamWanted): void {
  const { max_age = 0, max_bytes = 0, num_replicas = 1 } = wanted;
  const less = [
    ...(max_age > 0 && (config.max_age === 0 || max_age < config.max_age)
      ? ['PLACET_STREAM_AGE is shorter']
      : []),
    ...(num_replicas < config.num_replicas ? ['PLACET_REPLICAS is smaller'] : []),
    ...(max_bytes > 0 && max_bytes < state.bytes ? ['PLACET_STREAM_SIZE is smaller than what it holds'] : []),
  ];
  if (less.length === 0) return;
  throw new UsersProblem(
    `The stream ${wanted.name} keeps more than these settings ask for: ${less.join(', ')}. Set what it was made with, ` +
      'or PLACET_KEEP_LESS=true when it is to keep less.',
  );
}

/** Whether something that is wanted is not so. The broker adds to a list's members what it fills in itself. */
function differs(found: object, wanted: object): boolean {
  return Object.entries(wanted).some(([name, value]) => {
    const is = (found as Record<string, unknown>)[name];
    if (Array.isArray(value)) {
      const members = Array.isArray(is) ? is : [];
      return value.length !== members.length || value.some((member, i) => isOther(members[i], member));
    }
    return isOther(is, value);
  });
}

function isOther(is: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'object' && wanted !== null)
    return typeof is !== 'object' || differs(is ?? {}, wanted);
  return (is ?? false) !== (wanted ?? false);
}

export function subscriberSpec(name: string): ConsumerSpec {
  return {
    durable: subscriberDurable(name),
    filters: [typeFilter('action.decided')],
    maxAckPending: 1000,
    ackWaitMs: 30_000,
  };
}

function consumerWanted(spec: ConsumerSpec): Partial<ConsumerConfig> {
  const [only, ...more] = spec.filters;
  return {
    durable_name: spec.durable,
    ack_policy: 'explicit',
    ack_wait: nanos(spec.ackWaitMs),
    max_ack_pending: spec.maxAckPending,
    ...(only !== undefined && more.length === 0
      ? { filter_subject: only }
      : { filter_subjects: [...spec.filters] }),
    deliver_policy: 'all',
  };
}

async function ensureConsumer(nats: Pick<Nats, 'jsm'>, spec: ConsumerSpec): Promise<boolean> {
  const wanted = consumerWanted(spec);
  const found = await nats.jsm.consumers.info(eventStream, spec.durable).catch(notFound);
  if (!found) {
    await nats.jsm.consumers.add(eventStream, wanted);
    return true;
  }
  if (found.paused) await nats.jsm.consumers.resume(eventStream, spec.durable);
  if (!differs(found.config, wanted)) return found.paused === true;
  await nats.jsm.consumers.update(eventStream, spec.durable, { ...found.config, ...wanted });
  return true;
}

/** What decides what a stream takes, keeps and hands on, beside its rules. */
const conduct = [
  'subjects',
  'storage',
  'max_msg_size',
  'max_msgs',
  'allow_direct',
  'republish',
  'sources',
  'mirror',
  'subject_transform',
  'sealed',
  'no_ack',
  'allow_msg_counter',
] as const;

/** What a deployment chooses, and what the broker fills in by itself. */
const mayVary: ReadonlySet<string> = new Set([
  'name',
  'description',
  'max_bytes',
  'max_age',
  'num_replicas',
  'duplicate_window',
  'compression',
  'metadata',
  'consumer_limits',
  'placement',
]);

/**
 * What is not as it was made, of a stream or a bucket: the rules that it needs, and what else it was not made with, which
 * a newer broker may have filled in.
 */
export function changedRules(config: StreamConfig): { rules: string[]; unknown: string[] } {
  const made = streamsFor({ maxBytes: -1, maxAgeMs: 0, replicas: 1 });
  const wanted: Record<string, unknown> | undefined = made.find(({ name }) => name === config.name);
  if (!wanted) return { rules: [], unknown: [] };
  const found = config as unknown as Record<string, unknown>;
  // A property that is off is left out of what the broker tells.
  const isOn = (rule: string) => ![undefined, false, 0, -1].includes(found[rule] as never);
  const changed = Object.keys({ ...wanted, ...found })
    .filter((rule) => !mayVary.has(rule))
    .filter((rule) => (wanted[rule] === undefined ? isOn(rule) : differs(found, { [rule]: wanted[rule] })))
    .toSorted();
  const needed = new Set<string>([...streamRules, ...conduct]);
  return {
    rules: changed.filter((rule) => needed.has(rule)),
    unknown: changed.filter((rule) => !needed.has(rule)),
  };
}

/** The streams and buckets of a deployment: there are no others in its account. */
export const streamNames: readonly string[] = streamsFor({ maxBytes: -1, maxAgeMs: 0, replicas: 1 }).map(
  ({ name }) => name,
);

/** Why a consumer does not deliver what it was made for; null when it does. */
export function consumerProblem({ paused, config }: ConsumerInfo, spec: ConsumerSpec): string | null {
  if (paused) return 'is paused';
  return differs(config, consumerWanted(spec)) ? 'has other settings than it was made with' : null;
}

/** A consumer that starts over delivers everything again that the stream still holds. */
export async function restartConsumer(nats: Pick<Nats, 'jsm'>, spec: ConsumerSpec): Promise<string> {
  await nats.jsm.consumers.delete(eventStream, spec.durable);
  await ensureConsumer(nats, spec);
  const info = await nats.jsm.consumers.info(eventStream, spec.durable);
  return String(info.created);
}

export function notFound(error: unknown): null {
  // 10059: no such stream. 10014: no such consumer.
  if (error instanceof JetStreamApiError && (error.code === 10059 || error.code === 10014)) return null;
  throw error;
}
