import { eventStream } from '@placet/events';
import {
  eventually,
  releaseAfterEach,
  releaseAfterTest,
  startTestBus,
  startTestNats,
  type TestBus,
  testSealer,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { startFeed } from '../feed.ts';
import type { OutcomeStore } from '../store.ts';
import { actionId, agent, decided, needed, requested } from './events.ts';
import { openInDirectory } from './places.ts';

releaseAfterEach();

async function openStore(): Promise<OutcomeStore> {
  const { store, drop } = await openInDirectory();
  releaseAfterTest('store', drop);
  return store;
}

const undecided = (store: OutcomeStore) => store.due(new Date(), new Date(), 10);

async function whatItHolds(b: TestBus, store: OutcomeStore): Promise<void> {
  const { state } = await b.context.jsm.streams.info(eventStream);
  await eventually(async () => expect(((await store.position())?.seq ?? 0) % 2 ** 42).toBe(state.last_seq));
}

test('in a stream that was made anew, a request under an id of the old one is a request', async () => {
  const b = await startTestBus(await startTestNats());
  const store = await openStore();
  // What is known of the stream before: the same id, long decided, far on.
  const before = [
    { seq: 1000, event: requested() },
    { seq: 1001, event: decided({ decision: 'allowed' }) },
  ];
  await store.apply(before, { stream: 'the one before', seq: 5000 });
  expect(await undecided(store)).toEqual([]);

  const again = requested();
  await b.bus.append(again, { version: 0 });
  startFeed(b, store);
  await eventually(async () => expect(await undecided(store)).toEqual([{ actionId: actionId(), agent }]));
  expect((await store.get(actionId()))?.events.map(({ event }) => event.id)).toEqual([again.id]);
});

test('a stream that was put back is read again, and what it lost is no longer so', async () => {
  const b = await startTestBus(await startTestNats());
  const store = await openStore();
  const [request, asked] = [requested(), needed({ deadline: new Date(Date.now() + 60_000) })];
  const { seq } = (await b.bus.append(request, { version: 0 })) as { seq: number };
  await b.bus.append(asked, { version: seq, number: 1 });
  const { created } = await b.context.jsm.streams.info(eventStream);
  // It held a decision, and more, when it was read.
  await store.apply(
    [
      { seq: 1, event: request },
      { seq: 2, event: asked },
      { seq: 3, event: decided() },
    ],
    { stream: String(created), seq: 900 },
  );
  expect(await store.countOpen()).toEqual({ held: 0, undecided: 0 });
  startFeed(b, store);
  await whatItHolds(b, store);
  expect(await store.countOpen()).toEqual({ held: 1, undecided: 1 });
});

test('what was read goes on where it ended, over a restart too', async () => {
  const [server, sealer] = [await startTestNats(), testSealer()];
  const b = await startTestBus(server, { sealer });
  const store = await openStore();
  await store.apply([], { stream: 'the one before', seq: 5000 });
  await b.bus.append(requested({ action: 1 }), { version: 0 });
  startFeed(b, store);
  await whatItHolds(b, store);
  await b.resources.close();

  const next = await startTestBus(server, { sealer });
  await next.bus.append(requested({ action: 2 }), { version: 0 });
  startFeed(next, store);
  await whatItHolds(next, store);
  const position = await store.position();
  expect(position?.seq).toBe(2 ** 42 + 2);
  expect(await undecided(store)).toHaveLength(2);
});

/** One action is stored, and nothing comes. The store can be exchanged for another under whoever feeds it. */
async function startIdle() {
  const b = await startTestBus(await startTestNats());
  const first = await openStore();
  const state = { now: first, positions: 0 };
  const store = new Proxy(first, {
    get(_, name: keyof OutcomeStore) {
      if (name === 'position') state.positions += 1;
      return state.now[name].bind(state.now);
    },
  });
  await b.bus.append(requested({ action: 1 }), { version: 0 });
  startFeed(b, store);
  await whatItHolds(b, state.now);
  return { b, state };
}

test('a store that was emptied while nothing came is filled again as soon as something does', async () => {
  const { b, state } = await startIdle();
  state.now = await openStore();
  await b.bus.append(requested({ action: 2 }), { version: 0 });
  await eventually(async () => expect(await undecided(state.now)).toHaveLength(2));
});

test('while nothing comes the store is not asked again and again', async () => {
  const { b, state } = await startIdle();
  const before = state.positions;
  // So often the stream is looked at meanwhile.
  let looks = 0;
  b.context.nc.subscribe(`$JS.API.DIRECT.GET.${eventStream}`, {
    callback: () => {
      looks += 1;
    },
  });
  await eventually(() => expect(looks).toBeGreaterThan(20));
  expect(state.positions - before).toBeLessThan(5);
});
