import { configBuckets, consumers, eventStream } from '@placet/events';
import { eventually, releaseAfterEach, startTestBus, startTestNats, type TestBus } from '@placet/testing';
import { expect, test } from 'vitest';
import { type BrokerWatch, watchConsumer, watchStreamRules } from '../broker-watch.ts';
import { ensureStreams, restartConsumer } from '../streams.ts';

releaseAfterEach();

const everyMs = 50;
const sizes = { maxBytes: 64 * 2 ** 20, maxAgeMs: 86_400_000, replicas: 1 };

async function alarms({ context: { jsm } }: TestBus): Promise<string[]> {
  const { state } = await jsm.streams.info(eventStream, { subjects_filter: 'placet.sys.alarm.raised.*' });
  const messages = await Promise.all(
    Object.keys(state.subjects ?? {}).map((subject) =>
      jsm.streams.getMessage(eventStream, { last_by_subj: subject }),
    ),
  );
  return messages.flatMap((message) =>
    message ? [message.json<{ data: { message: string } }>().data.message] : [],
  );
}

const isWell = (watch: BrokerWatch) => eventually(() => expect(watch.problems()).toEqual([]));
const says = (watch: BrokerWatch, problem: string) =>
  eventually(() => expect(watch.problems()).toEqual([problem]));

test('a stream that lost a rule while it ran is an alarm, and no longer ready, until it is mended', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreamRules(b, everyMs);
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, {
    ...config,
    discard_new_per_subject: false,
    max_msgs_per_subject: 5,
  });
  const problem = 'The stream PLACET is not as it was made: max_msgs_per_subject, discard_new_per_subject.';
  await says(watch, problem);
  await eventually(async () =>
    expect((await alarms(b)).filter((text) => text.startsWith(problem))).toHaveLength(1),
  );
  await b.context.jsm.streams.update(eventStream, config);
  await isWell(watch);
});

test('what the stream hands on is one of its rules', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreamRules(b, everyMs);
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, {
    ...config,
    republish: { src: 'placet.>', dest: 'elsewhere.>' },
  });
  await says(watch, 'The stream PLACET is not as it was made: republish.');
});

test('a bucket that is gone is an alarm', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreamRules(b, everyMs);
  await isWell(watch);
  await b.context.jsm.streams.delete(`KV_${configBuckets.people}`);
  const problem = `The stream KV_${configBuckets.people} is gone.`;
  await says(watch, problem);
  await eventually(async () => expect((await alarms(b)).some((text) => text.startsWith(problem))).toBe(true));
});

test('a consumer that is paused, made otherwise or deleted is an alarm, until it is mended', async () => {
  const b = await startTestBus(await startTestNats());
  const { jsm } = b.context;
  const watch = watchConsumer(b, consumers.policy, everyMs);
  await isWell(watch);
  await jsm.consumers.pause(eventStream, 'policy', new Date(Date.now() + 3_600_000));
  await says(watch, 'The consumer policy is paused.');
  await ensureStreams(b.context, sizes);
  await isWell(watch);

  await jsm.consumers.update(eventStream, 'policy', { filter_subject: 'placet.act.nobody.>' });
  await says(watch, 'The consumer policy has other settings than it was made with.');
  await restartConsumer(b.context, consumers.policy);
  await isWell(watch);

  await jsm.consumers.delete(eventStream, 'policy');
  await says(watch, 'The consumer policy is gone.');
  await eventually(async () => expect(await alarms(b)).toHaveLength(3));
});
