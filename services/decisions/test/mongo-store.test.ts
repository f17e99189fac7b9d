import { freshDatabase } from '@placet/cluster/mongodb.ts';
import { Unavailable } from '@placet/runtime';
import fc from 'fast-check';
import { type Document, MongoClient } from 'mongodb';
import { expect, inject, onTestFinished, test } from 'vitest';
import type {} from '../../../libs/testing/mongodb-global-setup.ts';
import { startWire, type Wire } from '../../../libs/testing/wire.ts';
import { openMongoOutcomeStore } from '../mongo-store.ts';
import type { OutcomeStore, StoredEvent } from '../store.ts';
import { deliver, deliveriesOf, seenIn, someMessages } from './deliveries.ts';
import { actionId, at, closed, decided, needed, requested, voted } from './events.ts';
import { openInDirectory, openInDatabase as openOn } from './places.ts';
import { storeContract } from './store-contract.ts';

const stream = 'the stream';

const openInDatabase = () => openOn(inject('mongo').url);

/** As many stores on one database as there are instances. */
async function openSeveral(count: number): Promise<OutcomeStore[]> {
  const { place, store, drop } = await openInDatabase();
  onTestFinished(drop);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => openMongoOutcomeStore(place)));
  onTestFinished(async () => void (await Promise.all(others.map((other) => other.close()))));
  return [store, ...others];
}

/** A store that reaches its server through a wire of ours, and a way around it. */
async function behindWire(): Promise<{
  store: OutcomeStore;
  wire: Wire;
  direct: MongoClient;
  database: string;
}> {
  const { url, database, drop } = freshDatabase(inject('mongo').url);
  onTestFinished(drop);
  const wire = await startWire(url);
  onTestFinished(wire.stop);
  const store = await openMongoOutcomeStore({ url: wire.url, database });
  onTestFinished(() => store.close());
  const direct = new MongoClient(url);
  onTestFinished(() => direct.close());
  wire.commands.length = 0;
  return { store, wire, direct, database };
}

/** Actions that were decided, that are held, and that nobody judged. */
function history(actions: number): StoredEvent[] {
  const events = Array.from({ length: actions }, (_, index) => {
    const of = { action: index + 1 };
    const asked = [requested(of), needed(of), voted(of), voted({ ...of, by: 'bob' })];
    return index % 3 === 0 ? [requested(of)] : index % 3 === 1 ? asked : [...asked, decided(of), closed(of)];
  });
  return events.flat().map((event, index) => ({ seq: index + 1, event }));
}

const ours = ({ find, aggregate, insert, update, delete: gone }: Document) =>
  [find, aggregate, insert, update, gone].some((collection) => collection !== undefined);

storeContract(inject('mongo').kind, openInDatabase, { numRuns: 10 });

test('holds what the store on SQLite holds', async () => {
  const cases = someMessages.chain((messages) => deliveriesOf(messages));
  await fc.assert(
    fc.asyncProperty(cases, async (deliveries) => {
      const [mongo, sqlite] = [await openInDatabase(), await openInDirectory()];
      try {
        await deliver(mongo.store, deliveries);
        await deliver(sqlite.store, deliveries);
        expect(await seenIn(mongo.store)).toEqual(await seenIn(sqlite.store));
      } finally {
        await Promise.all([mongo.drop(), sqlite.drop()]);
      }
    }),
    { numRuns: 15 },
  );
});

test('instances that apply the same and overlapping batches at the same moment make one store', async () => {
  const cases = someMessages.chain((messages) =>
    fc.tuple(fc.constant(messages), fc.array(deliveriesOf(messages), { minLength: 3, maxLength: 3 })),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([messages, deliveries]) => {
      const [alone, together] = [await openInDatabase(), await openInDatabase()];
      const others = await Promise.all([1, 2].map(() => openMongoOutcomeStore(together.place)));
      try {
        await deliver(alone.store, [messages, messages.length]);
        const stores = [together.store, ...others];
        await Promise.all(stores.map((store, n) => deliver(store, deliveries[n] ?? [messages, 1])));
        expect(await seenIn(together.store)).toEqual(await seenIn(alone.store));
      } finally {
        await Promise.all(others.map((other) => other.close()));
        await Promise.all([alone.drop(), together.drop()]);
      }
    }),
    { numRuns: 15 },
  );
});

test('instances that begin at the same moment store a whole history once', async () => {
  const messages = history(120);
  const [one, another, third] = (await openSeveral(3)) as [OutcomeStore, OutcomeStore, OutcomeStore];
  const position = { stream, seq: messages.length };
  const half = messages.slice(100, 300);
  await Promise.all([
    one.apply(messages, position),
    another.apply(messages.toReversed(), position),
    third.apply(half, { stream, seq: 300 }),
  ]);
  expect(await one.position()).toEqual(position);
  expect(await one.countOpen()).toEqual({ held: 40, undecided: 80 });
  expect(await another.owed(at(9999), 200)).toHaveLength(40);
  for (const action of [1, 2, 3]) {
    const own = messages.filter(({ event }) => event.subject === actionId(action));
    const kept = own.filter(({ event }) => event.type !== 'approval.closed');
    expect((await third.get(actionId(action)))?.events).toEqual(kept);
  }
});

test('who was stopped and goes on later puts no position back', async () => {
  const [stopped, leader] = (await openSeveral(2)) as [OutcomeStore, OutcomeStore];
  await stopped.apply([], { stream, seq: 3 });
  await leader.apply([], { stream, seq: 9 });
  await stopped.apply([], { stream, seq: 4 });
  expect(await stopped.position()).toEqual({ stream, seq: 9 });
  expect(await leader.position()).toEqual({ stream, seq: 9 });
});

test('one instance leads until it has not said so for its time', async () => {
  const [one, another] = (await openSeveral(2)) as [OutcomeStore, OutcomeStore];
  expect(await one.lead('one', at(0), 4000)).toBe(true);
  expect(await another.lead('another', at(3), 4000)).toBe(false);
  expect(await one.lead('one', at(2), 4000)).toBe(true);
  expect(await another.lead('another', at(5), 4000)).toBe(false);
  expect(await another.lead('another', at(6), 4000)).toBe(true);
  expect(await one.lead('one', at(7), 4000)).toBe(false);
  expect(await one.lead('one', at(10), 4000)).toBe(true);
});

test('a lease that ends later than any that is taken is nobody’s', async () => {
  const [one, another] = (await openSeveral(2)) as [OutcomeStore, OutcomeStore];
  expect(await one.lead('somebody', at(0), 100 * 365 * 86_400_000)).toBe(true);
  expect(await another.lead('another', at(1), 4000)).toBe(true);
  expect(await one.lead('one', at(2), 4000)).toBe(false);
});

test('of several who want to lead at the same moment one does', async () => {
  const stores = await openSeveral(4);
  for (const round of [0, 1, 2, 3, 4]) {
    const asking = stores.map((store, n) => store.lead(`holder ${n}`, at(round * 10), 4000));
    expect((await Promise.all(asking)).filter((leads) => leads)).toHaveLength(1);
  }
});

test('500 events are stored in three commands, the position last', async () => {
  const { store, wire } = await behindWire();
  const messages = history(200).slice(0, 500);
  const sent = () =>
    wire.commands
      .filter(ours)
      .map(({ insert, update }) => (insert ? ['insert', insert] : ['update', update]));
  const threeCommands = [
    ['insert', 'events'],
    ['update', 'actions'],
    ['update', 'meta'],
  ];
  await store.apply(messages, { stream, seq: 500 });
  expect(sent()).toEqual(threeCommands);
  wire.commands.length = 0;
  await store.apply(messages, { stream, seq: 501 });
  expect(sent()).toEqual(threeCommands);
});

test('every write asks for a majority and the journal, and every read for what a majority has', async () => {
  const { store, wire } = await behindWire();
  const action = { actionId: actionId(), agent: 'support', seq: 3 };
  await store.apply(history(3), { stream, seq: 9 });
  await store.block(action);
  await store.settle(action);
  await store.lead('one', at(0), 4000);
  await seenIn(store);
  const commands = wire.commands.filter(ours);
  const writes = commands.filter(({ insert, update }) => insert || update);
  expect(writes).toHaveLength(6);
  for (const { writeConcern } of writes) expect(writeConcern).toMatchObject({ w: 'majority', j: true });
  const reads = commands.filter(({ find, aggregate }) => find || aggregate);
  expect(reads.length).toBeGreaterThan(10);
  for (const { readConcern } of reads) expect(readConcern).toEqual({ level: 'majority' });
});

test('nothing that is asked reads a whole collection', async () => {
  const { store, wire, direct, database } = await behindWire();
  await store.apply(history(60), { stream, seq: 300 });
  await seenIn(store);
  const asked = wire.commands.filter(({ find, aggregate }) => find || aggregate);
  const places = new Set(asked.map(({ find, aggregate }) => find ?? aggregate));
  expect(places).toEqual(new Set(['actions', 'events', 'meta']));
  for (const { lsid: _, $db: __, $clusterTime: ___, ...command } of asked) {
    const plan = await direct.db(database).command({ explain: command, verbosity: 'queryPlanner' });
    const text = JSON.stringify(plan);
    expect(text, JSON.stringify(command)).toMatch(/IXSCAN|IDHACK|EXPRESS|COUNT_SCAN/);
    expect(text, JSON.stringify(command)).not.toContain('COLLSCAN');
  }
});

test('a collision of two first writes is tried again; one that does not go away is an error', async () => {
  const { store, wire, direct, database } = await behindWire();
  const actions = direct.db(database).collection('actions');
  const index = await actions.createIndex({ agent: 1 }, { unique: true });
  await expect(store.apply(history(3), { stream, seq: 9 })).rejects.toThrow(/E11000/);
  expect(await store.position()).toBeNull();
  const heal = async () => void (await actions.dropIndex(index));
  wire.before('update', async () => wire.before('update', heal));
  await store.apply(history(3), { stream, seq: 9 });
  expect(await store.countOpen()).toEqual({ held: 1, undecided: 2 });
});

test('an action whose later request is stored, and not yet what follows of it, is that request', async () => {
  const { store, direct, database } = await behindWire();
  const forged = { actionId: actionId(), agent: 'support', isDecision: true };
  await store.apply([...history(1), { seq: 2, forged, at: at(1) }], { stream, seq: 2 });
  const later = requested({ now: at(9) });
  const row = { action: actionId(), agent: 'support', seq: 9, body: JSON.stringify(later) };
  await direct.db(database).collection('events').insertOne(row);
  const record = {
    actionId: actionId(),
    agent: 'support',
    blocked: false,
    events: [{ seq: 9, event: later }],
  };
  expect(await store.get(actionId())).toEqual(record);
});

test('votes of one action may be more than a document holds', async () => {
  const { store, drop } = await openInDatabase();
  onTestFinished(drop);
  const comment = 'x'.repeat(20_000);
  const votes = Array.from({ length: 900 }, (_, n) => ({
    seq: n + 1,
    event: voted({ by: `p${n}`, comment }),
  }));
  for (let from = 0; from < votes.length; from += 300) {
    await store.apply(votes.slice(from, from + 300), { stream, seq: from + 300 });
  }
  expect((await store.get(actionId()))?.events).toHaveLength(900);
});

test.concurrent('a batch that was cut off is not said to be read, and is stored when it comes again', async () => {
  const { store, wire, direct, database } = await behindWire();
  const messages = history(6);
  await store.apply(messages.slice(0, 5), { stream, seq: 5 });
  wire.before('update', async () => void wire.stop());
  await expect(store.apply(messages, { stream, seq: messages.length })).rejects.toThrow();
  const meta = direct.db(database).collection<{ _id: string }>('meta');
  expect(await meta.findOne({ _id: 'position' })).toMatchObject({ seq: 5 });
  const again = await openMongoOutcomeStore({ url: inject('mongo').url, database });
  onTestFinished(() => again.close());
  await again.apply(messages, { stream, seq: messages.length });
  const { store: other, drop } = await openInDatabase();
  onTestFinished(drop);
  await other.apply(messages, { stream, seq: messages.length });
  expect(await seenIn(again)).toEqual(await seenIn(other));
}, 40_000);

test('a store that was closed is closed', async () => {
  const { store, drop } = await openInDatabase();
  onTestFinished(drop);
  await store.close();
  await expect(store.position()).rejects.toThrow();
});

test.concurrent('a server that is down is an error, not a hang', async () => {
  const url = 'mongodb://127.0.0.1:1/?directConnection=true';
  await expect(openMongoOutcomeStore({ url, database: 'x' })).rejects.toThrow('ECONNREFUSED');
}, 10_000);

test.concurrent('a server that is silent from the start is an error, not a hang', async () => {
  const wire = await startWire(inject('mongo').url);
  onTestFinished(wire.stop);
  wire.silence();
  await expect(openMongoOutcomeStore({ url: wire.url, database: 'x' })).rejects.toThrow();
}, 15_000);

test.concurrent('a server that goes away is unavailable, not a hang', async () => {
  const { store, wire } = await behindWire();
  await store.apply(history(1), { stream, seq: 1 });
  await wire.stop();
  await expect(store.position()).rejects.toThrow(Unavailable);
  await expect(store.apply(history(1), { stream, seq: 2 })).rejects.toThrow(Unavailable);
}, 20_000);

test.concurrent('a server that falls silent is unavailable, not a hang', async () => {
  const { store, wire } = await behindWire();
  wire.silence();
  const asked = [store.position(), store.countOpen(), store.lead('one', at(0), 4000), store.get(actionId())];
  const answers = await Promise.allSettled(asked);
  for (const answer of answers) expect(answer).toMatchObject({ reason: expect.any(Unavailable) });
}, 30_000);
