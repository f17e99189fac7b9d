import { consumers } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  startTestBus,
  startTestNats,
  type TestBus,
  testSealer,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { Resources } from '../lifecycle.ts';
import { createLogger } from '../logger.ts';
import { restartConsumer } from '../streams.ts';
import { done, type Outcome, subscribe } from '../subscribe.ts';
import { newAction, requested, startBus, startRestartable } from './support.ts';

releaseAfterEach();

const spec = consumers.policy;

async function ask(b: TestBus): Promise<string> {
  const action = newAction();
  await b.bus.append(requested(action), { version: 0 });
  return action;
}

/** One instance of a service, which can be closed alone; `late` are the releases that did not end in time. */
function instance(
  b: TestBus,
  handle: (action: string) => Promise<Outcome> | Outcome,
  more: { concurrency?: number } = {},
) {
  const late: string[] = [];
  const destination = { write: (line: string) => void late.push(JSON.parse(line).resource) };
  const resources = new Resources(createLogger({ level: 'warn', destination }));
  const handled: string[] = [];
  subscribe(b.context, b.bus, b.alarm, resources, {
    spec,
    handle: async ({ event }) => {
      handled.push(event.subject);
      return handle(event.subject);
    },
    ...more,
  });
  return { handled, late, close: () => resources.close() };
}

test('closing waits for the handlers at work, and leaves the rest to the next at once', async () => {
  const server = await startTestNats();
  const sealer = testSealer();
  const b = await startTestBus(server, { sealer });
  const actions: string[] = [];
  for (let n = 0; n < 5; n++) actions.push(await ask(b));
  const gate = Promise.withResolvers<Outcome>();
  const first = instance(b, () => gate.promise, { concurrency: 1 });
  await eventually(() => expect(first.handled).toEqual(actions.slice(0, 1)));

  let closed = false;
  const closing = first.close().then(() => {
    closed = true;
  });
  const next = instance(await startTestBus(server, { sealer }), () => done);
  // Before the first one's handler has ended, what it had fetched and not begun is with the next.
  await eventually(() => expect([...next.handled].sort()).toEqual(actions.slice(1).sort()));
  expect(closed).toBe(false);
  gate.resolve(done);
  await closing;
  expect(first.handled).toEqual(actions.slice(0, 1));
  expect(first.late).toEqual([]);
  // The broker does not answer an acknowledgement. What has none comes again after 5 s.
  await eventually(async () => {
    const { num_ack_pending } = await b.context.jsm.consumers.info('PLACET', spec.durable);
    expect(num_ack_pending).toBe(0);
  }, 3000);
});

test('it can be closed before it has begun', async () => {
  const b = await startBus();
  const early = instance(b, () => done);
  await early.close();
  expect(early.late).toEqual([]);
});

test('two instances share the messages, each is handled once', async () => {
  const server = await startTestNats();
  const sealer = testSealer();
  const [one, other] = [await startTestBus(server, { sealer }), await startTestBus(server, { sealer })];
  const instances = [
    instance(one, () => done, { concurrency: 2 }),
    instance(other, () => done, { concurrency: 2 }),
  ];
  const actions: string[] = [];
  for (let n = 0; n < 40; n++) actions.push(await ask(one));
  const handled = () => instances.flatMap((i) => i.handled);
  await eventually(() => expect(handled()).toHaveLength(40));
  expect(handled().sort()).toEqual(actions.sort());
});

test('it goes on when its consumer is deleted and made again', async () => {
  const b = await startBus();
  const { handled } = instance(b, () => done);
  const before = await ask(b);
  await eventually(() => expect(handled).toContain(before));
  await restartConsumer(b.context, spec);
  const after = await ask(b);
  await eventually(() => expect(handled).toContain(after));
});

test('it goes on after a restart of the broker, with what was stored since', async () => {
  const { server, restart } = await startRestartable();
  const b = await startTestBus(server);
  const { handled } = instance(b, () => done);
  const before = await ask(b);
  await eventually(() => expect(handled).toContain(before));
  await restart();
  const after = await eventually(() => ask(b));
  await eventually(() => expect(handled).toContain(after));
});
