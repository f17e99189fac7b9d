import { type ConsumerSpec, configBuckets, eventStream } from '@placet/events';
import { causeId } from './alarms.ts';
import { sleep } from './lifecycle.ts';
import type { ServiceParts } from './service.ts';
import { consumerProblem, notFound, weakenedRules } from './streams.ts';

const lookEveryMs = 10_000;

type Parts = Pick<ServiceParts, 'context' | 'alarm' | 'resources'>;
/** What is wrong now, in words. */
export type BrokerWatch = { problems(): string[] };

/**
 * Whoever reached the broker's API can weaken a stream after the deployment made it, and nothing would look different.
 * So its rules are looked at again and again.
 */
export function watchStreamRules(parts: Parts, everyMs = lookEveryMs): BrokerWatch {
  const { jsm } = parts.context;
  const names = [eventStream, ...Object.values(configBuckets).map((bucket) => `KV_${bucket}`)];
  return watch(parts, 'stream rules', everyMs, async () => {
    const found = await Promise.all(names.map((name) => jsm.streams.info(name).catch(notFound)));
    return names.flatMap((name, i) => {
      const config = found[i]?.config;
      if (!config) return [`The stream ${name} is gone.`];
      const rules = weakenedRules(config);
      return rules.length === 0 ? [] : [`The stream ${name} is not as it was made: ${rules.join(', ')}.`];
    });
  });
}

/** A consumer that is paused, was deleted or asks for something else leaves its work undone, and quietly. */
export function watchConsumer(parts: Parts, spec: ConsumerSpec, everyMs = lookEveryMs): BrokerWatch {
  const { jsm } = parts.context;
  return watch(parts, `consumer ${spec.durable}`, everyMs, async () => {
    const info = await jsm.consumers.info(eventStream, spec.durable).catch(notFound);
    const problem = info ? consumerProblem(info, spec) : 'is gone';
    return problem === null ? [] : [`The consumer ${spec.durable} ${problem}.`];
  });
}

function watch(
  { context, alarm, resources }: Parts,
  name: string,
  everyMs: number,
  look: () => Promise<string[]>,
): BrokerWatch {
  const stopping = new AbortController();
  let problems: string[] = [];
  const once = async () => {
    const before = problems;
    problems = await look();
    for (const message of problems.filter((problem) => !before.includes(problem))) {
      // Each time that it begins is a cause of its own.
      const about = causeId(message, new Date().toISOString());
      await alarm({ kind: 'broker_changed', about, message: `${message} Run "npm run deploy:streams".` });
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
