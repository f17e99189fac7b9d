import { headers } from '@nats-io/transport-node';
import { eventually, releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { createSender } from '../sender.ts';

releaseAfterEach();

const timeoutMs = 200;
/** Where nothing is to be over before its answer. */
const patientMs = 30_000;

async function start(timeoutMs = patientMs) {
  const server = await startTestNats();
  const { context } = await startTestBus(server);
  const sender = createSender(context.nc, '_INBOX_decisions', timeoutMs);
  return { server, nc: context.nc, sender };
}

test('each question gets its own answer, however many are asked at once', async () => {
  const { nc, sender } = await start();
  nc.subscribe('echo', { callback: (_error, message) => void message.respond(message.data) });
  const asked = Array.from({ length: 500 }, (_, i) => `question ${i}`);
  const answers = await Promise.all(asked.map((text) => sender.request('echo', text, headers())));
  expect(answers.map((message) => message.string())).toEqual(asked);
});

test('a question that nobody listens to is refused at once', async () => {
  const { sender } = await start();
  const begun = performance.now();
  await expect(sender.request('nobody', '', headers())).rejects.toThrow('nobody listens');
  expect(performance.now() - begun).toBeLessThan(patientMs);
});

test('each question that is not answered is over in its own time, and an answer after that is for nobody', async () => {
  const { nc, sender } = await start(timeoutMs);
  const late: (() => void)[] = [];
  nc.subscribe('late', { callback: (_error, message) => void late.push(() => message.respond('late')) });
  const times: number[] = [];
  const ask = async (text: string) => {
    const begun = performance.now();
    await expect(sender.request('late', text, headers())).rejects.toThrow('timeout');
    times.push(performance.now() - begun);
  };
  const first = ask('first');
  await eventually(() => expect(late).toHaveLength(1));
  await new Promise((done) => setTimeout(done, timeoutMs / 2));
  await Promise.all([first, ask('second')]);
  for (const ms of times) expect(ms).toBeGreaterThan(timeoutMs - 5);
  for (const answer of late) answer();
  await nc.flush();
  nc.subscribe('now', { callback: (_error, message) => void message.respond('now') });
  const patient = createSender(nc, '_INBOX_decisions', patientMs);
  expect((await patient.request('now', '', headers())).string()).toBe('now');
});

test('Fail closed: the end of the connection ends the waiting, and nothing is sent any more', async () => {
  const { nc, sender } = await start();
  let asked = 0;
  nc.subscribe('silence', {
    callback: () => {
      asked += 1;
    },
  });
  const waiting = expect(sender.request('silence', '', headers())).rejects.toThrow('closed');
  await eventually(() => expect(asked).toBe(1));
  await nc.close();
  await waiting;
  await expect(sender.request('silence', '', headers())).rejects.toThrow('closed');
  await expect(sender.together(() => nc.publish('silence'))).rejects.toThrow('closed');
});

test('what is sent in one turn goes out in its order, and one that fails keeps nothing else back', async () => {
  const { nc, sender } = await start();
  const seen: string[] = [];
  nc.subscribe('order', { callback: (_error, message) => void seen.push(message.string()) });
  const sent = await Promise.allSettled([
    sender.together(() => nc.publish('order', 'one')),
    sender.together(() => {
      throw new Error('not this one');
    }),
    sender.together(() => nc.publish('order', 'two')),
  ]);
  expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  await nc.flush();
  expect(seen).toEqual(['one', 'two']);
});
