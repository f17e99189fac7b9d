import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { type ConsumerSpec, eventStream } from '@placet/events';
import { causeId } from './alarms.ts';
import { sleep } from './lifecycle.ts';
import type { ServiceParts } from './service.ts';
import { changedRules, consumerProblem, notFound, streamNames } from './streams.ts';

const lookEveryMs = 10_000;

type Parts = Pick<ServiceParts, 'context' | 'alarm' | 'resources'>;
/** What is wrong now, in words. */
export type BrokerWatch = { problems(): string[] };

/**
 * `problems` stand until they are mended; a change has happened, whatever is so now. What a stranger does is an alarm,
 * and no reason to take no requests.
 */
type Seen = { problems: string[]; changes: string[]; strangers?: string[] };

/**
 * Whoever reached the broker's API can weaken a stream after the deployment made it, empty it, or make it anew, and
 * nothing would look different. So its rules and what it keeps are looked at again and again.
 */
export function watchStreams(
  parts: Parts,
  names: readonly string[],
  { everyMs = lookEveryMs, seesOthers = false }: { everyMs?: number; seesOthers?: boolean } = {},
): BrokerWatch {
  const { jsm } = parts.context;
  let others: string[] = [];
  const kept = new Map<string, Keeps>();
  return watch(parts, 'streams', everyMs, async () => {
    const found = await Promise.all(names.map((name) => jsm.streams.info(name).catch(notFound)));
    if (seesOthers) others = await namesOfOthers(jsm);
    const seen: Required<Seen> = {
      problems: [],
      changes: [],
      strangers: others.map(
        (name) =>
          `The stream ${name} is none of ours: it may take or answer what is meant for them. Delete it.`,
      ),
    };
    for (const [i, name] of names.entries()) {
      const info = found[i];
      if (!info) {
        seen.problems.push(`The stream ${name} is gone.`);
        continue;
      }
      const { rules, unknown } = changedRules(info.config);
      if (rules.length > 0)
        seen.problems.push(`The stream ${name} is not as it was made: ${rules.join(', ')}.`);
      if (unknown.length > 0)
        seen.strangers.push(
          `The stream ${name} has settings that it was not made with: ${unknown.join(', ')}.`,
        );
      const keeps = keepsOf(info);
      seen.changes.push(...lessThan(kept.get(name), keeps).map((what) => `The stream ${name} ${what}.`));
      kept.set(name, keeps);
    }
    return seen;
  });
}

async function namesOfOthers(jsm: JetStreamManager): Promise<string[]> {
  const names: string[] = [];
  for await (const name of jsm.streams.names()) if (!streamNames.includes(name)) names.push(name);
  return names;
}

/** How much of the past a stream keeps, and since when. */
type Keeps = { created: string; ageMs: number; bytes: number; copies: number };

function keepsOf({ created, config }: StreamInfo): Keeps {
  const endless = (limit: number) => (limit > 0 ? limit : Number.POSITIVE_INFINITY);
  return {
    created: String(created),
    ageMs: endless(config.max_age) / 1e6,
    bytes: endless(config.max_bytes),
    copies: config.num_replicas,
  };
}

function lessThan(before: Keeps | undefined, now: Keeps): string[] {
  if (!before) return [];
  return [
    ...(now.created === before.created ? [] : ['was made anew: what it held is gone']),
    ...(now.ageMs < before.ageMs ? [`forgets after ${now.ageMs} ms, and did after ${before.ageMs} ms`] : []),
    ...(now.bytes < before.bytes ? [`holds ${now.bytes} bytes, and held ${before.bytes}`] : []),
    ...(now.copies < before.copies ? [`has ${now.copies} copies, and had ${before.copies}`] : []),
  ];
}

/** A consumer that is paused, was deleted or asks for something else leaves its work undone, and quietly. */
export function watchConsumer(parts: Parts, spec: ConsumerSpec, everyMs = lookEveryMs): BrokerWatch {
  const { jsm } = parts.context;
  return watch(parts, `consumer ${spec.durable}`, everyMs, async () => {
    const info = await jsm.consumers.info(eventStream, spec.durable).catch(notFound);
    const problem = info ? consumerProblem(info, spec) : 'is gone';
    return {
      problems: problem === null ? [] : [`The consumer ${spec.durable} ${problem}.`],
      changes: [],
    };
  });
}

function watch(
  { context, alarm, resources }: Parts,
  name: string,
  everyMs: number,
  look: () => Promise<Seen>,
): BrokerWatch {
  const stopping = new AbortController();
  let problems: string[] = [];
  let strangers: string[] = [];
  const once = async () => {
    const before = [...problems, ...strangers];
    const seen = await look();
    problems = seen.problems;
    strangers = seen.strangers ?? [];
    const isNew = (one: string) => !before.includes(one);
    const begun = problems.filter(isNew).map((one) => `${one} Run "npm run deploy:streams".`);
    for (const message of [...begun, ...strangers.filter(isNew), ...seen.changes]) {
      // Each time that it begins is a cause of its own.
      await alarm({ kind: 'broker_changed', about: causeId(message, new Date().toISOString()), message });
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await once().catch((error: unknown) => context.logger.warn({ err: error }, `${name} cannot be seen`));
      await sleep(everyMs, stopping.signal);
    }
  })();
  resources.add(`watch of ${name}`, async () => {
    stopping.abort();
    await running;
  });
  return { problems: () => problems };
}
