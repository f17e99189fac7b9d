import type { StreamConfig } from '@nats-io/jetstream';
import { bucketStreamName, configBuckets, configStream, consumers, eventStream } from '@placet/events';
import { eventually, releaseAfterEach, startTestBus, startTestNats, type TestBus } from '@placet/testing';
import { expect, test } from 'vitest';
import { type BrokerWatch, watchConsumer, watchStreams } from '../broker-watch.ts';
import { ensureStreams, restartConsumer } from '../streams.ts';

releaseAfterEach();

const everyMs = 50;
const streams = [eventStream, configStream, ...Object.values(configBuckets).map(bucketStreamName)];
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

/** The watch asks each time; after two answers to questions of ours it has had one to its first. */
async function lookedAt({ context }: TestBus, pauseMs: number): Promise<void> {
  let looks = 0;
  const info = context.jsm.streams.info.bind(context.jsm.streams);
  context.jsm.streams.info = async (...args) => {
    const answer = await info(...args);
    looks++;
    return answer;
  };
  await eventually(() => expect(looks).toBeGreaterThan(2 * streams.length), pauseMs * 100);
  context.jsm.streams.info = info;
}

const isWell = (watch: BrokerWatch) => eventually(() => expect(watch.problems()).toEqual([]));
const says = (watch: BrokerWatch, problem: string) =>
  eventually(() => expect(watch.problems()).toEqual([problem]));

test('a stream that lost a rule while it ran is an alarm, and no longer ready, until it is mended', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, {
    ...config,
    discard_new_per_subject: false,
    max_msgs_per_subject: 5,
  });
  const problem = 'The stream PLACET is not as it was made: discard_new_per_subject, max_msgs_per_subject.';
  await says(watch, problem);
  await eventually(async () =>
    expect((await alarms(b)).filter((text) => text.startsWith(problem))).toHaveLength(1),
  );
  await b.context.jsm.streams.update(eventStream, config);
  await isWell(watch);
});

test('what the stream hands on is one of its rules', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, {
    ...config,
    republish: { src: 'placet.>', dest: 'elsewhere.>' },
  });
  await says(watch, 'The stream PLACET is not as it was made: republish.');
});

test.each<[string, Partial<StreamConfig>, string]>([
  [
    'forgets sooner',
    { max_age: 1_000_000_000_000 },
    'The stream PLACET forgets after 1000000 ms, and did after 86400000 ms.',
  ],
  ['holds less', { max_bytes: 1_000_000 }, 'The stream PLACET holds 1000000 bytes, and held 67108864.'],
])('a stream that %s than before is an alarm', async (_how, change, message) => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
  await lookedAt(b, everyMs);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, { ...config, ...change });
  await eventually(async () => expect(await alarms(b)).toEqual([message]));
  expect(watch.problems()).toEqual([]);
});

test('a stream that was deleted and made again as it was is an alarm', async () => {
  const b = await startTestBus(await startTestNats());
  watchStreams(b, streams, { everyMs });
  await lookedAt(b, everyMs);
  await b.context.jsm.streams.delete(eventStream);
  await ensureStreams(b.context, sizes);
  await eventually(async () =>
    expect(await alarms(b)).toContain('The stream PLACET was made anew: what it held is gone.'),
  );
});

test('a bucket that is gone is an alarm', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
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

  await jsm.consumers.update(eventStream, 'policy', { filter_subjects: ['placet.act.nobody.>'] });
  await says(watch, 'The consumer policy has other settings than it was made with.');
  await restartConsumer(b.context, consumers.policy);
  await isWell(watch);

  await jsm.consumers.delete(eventStream, 'policy');
  await says(watch, 'The consumer policy is gone.');
  await eventually(async () => expect(await alarms(b)).toHaveLength(3));
});

test.each<[string, Partial<StreamConfig>, string]>([
  [
    'renames what it stores',
    { subject_transform: { src: 'placet.act.>', dest: 'placet.act.>' } },
    'subject_transform',
  ],
  ['takes nothing any more', { max_msg_size: 10 }, 'max_msg_size'],
  ['answers no direct questions', { allow_direct: false }, 'allow_direct'],
  ['takes nothing ever again', { sealed: true }, 'sealed'],
  ['does not confirm', { no_ack: true }, 'no_ack'],
  ['holds so many', { max_msgs: 1000 }, 'max_msgs'],
])('a stream that %s is not as it was made', async (_how, change, rule) => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, { ...config, ...change });
  await eventually(() => {
    expect(watch.problems().join()).toMatch(new RegExp(`PLACET is not as it was made: .*${rule}`));
  });
});

test('a stream that is none of ours is an alarm, and requests are taken all the same', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs, seesOthers: true });
  await isWell(watch);
  await b.context.jsm.streams.add({ name: 'EVIL', subjects: ['placetrpc.decisions.>'] });
  const message = 'The stream EVIL is none of ours: it may take or answer what is meant for them. Delete it.';
  // With a stream in its place the broker confirms what nobody answered.
  await eventually(async () => expect(await alarms(b)).toEqual([message]));
  expect(watch.problems()).toEqual([]);
});

test('a setting that decides nothing is no problem, and what does is set back', async () => {
  const b = await startTestBus(await startTestNats());
  const watch = watchStreams(b, streams, { everyMs });
  await isWell(watch);
  const { config } = await b.context.jsm.streams.info(eventStream);
  await b.context.jsm.streams.update(eventStream, { ...config, description: 'production', max_msgs: 1000 });
  await says(watch, 'The stream PLACET is not as it was made: max_msgs.');
  await ensureStreams(b.context, sizes);
  await isWell(watch);
  const after = (await b.context.jsm.streams.info(eventStream)).config;
  expect(after).toMatchObject({ description: 'production', max_msgs: -1 });
});
