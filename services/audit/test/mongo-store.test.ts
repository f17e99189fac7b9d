import { Unavailable } from '@placet/runtime';
import { type Collection, MongoClient } from 'mongodb';
import { expect, onTestFinished, test } from 'vitest';
import { commandOf, startWire, type Wire } from '../../../libs/testing/wire.ts';
import { openMongoAuditStore } from '../mongo-store.ts';
import type { AuditStore } from '../store.ts';
import { mongoPlace } from './places.ts';
import { event, events } from './records.ts';
import { allOf, appendUntilStored, expectDense } from './whole-record.ts';

type Direct = Collection<{ _id: string } & Record<string, unknown>>;

/** A store that reaches its server through a wire of ours, and a way around it. */
async function behindWire(): Promise<{ store: AuditStore; wire: Wire; direct: Direct }> {
  const place = await mongoPlace();
  onTestFinished(place.remove);
  const wire = await startWire(place.url);
  onTestFinished(wire.stop);
  const store = await openMongoAuditStore({ url: wire.url, database: place.database });
  onTestFinished(() => store.close());
  const client = new MongoClient(place.url);
  onTestFinished(() => client.close());
  return { store, wire, direct: client.db(place.database).collection('records') };
}

function documentAt(index: number, seq: number) {
  const { id, ...rest } = event(seq);
  return { _id: id, index, ...rest };
}

test.each([
  ['with a record of its own', 90],
  ['with one of ours', 5],
])('a sequencer that breaks into a batch %s fences it there', async (_, seq) => {
  const { store, wire, direct } = await behindWire();
  await store.append(events(1, 2), 0);
  wire.before('insert', async () => void (await direct.insertOne(documentAt(4, seq))));
  expect(await store.append(events(3, 8), 2)).toEqual({ outcome: 'fenced' });
  const stored = (await allOf(store)).map(({ index, seq }) => [index, seq]);
  expect(stored).toEqual([1, 2, 3, 4, seq].map((one, index) => [index, one]));
  await appendUntilStored(store, events(3, 8));
  const all = await allOf(store);
  expect(all.map(({ index }) => index)).toEqual(all.map((_, index) => index));
  expect(new Set(all.map(({ seq }) => seq))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7, 8, seq]));
});

test('a batch whose reply was lost on the way is stored once', async () => {
  const { store, wire } = await behindWire();
  await store.append(events(1, 2), 0);
  wire.loseReplyTo('insert');
  // The driver may try again by itself; whatever it says, the record is right after another try.
  await store.append(events(3, 8), 2).catch(() => null);
  await appendUntilStored(store, events(3, 8));
  expectDense(await allOf(store), 8);
});

test('head is of one moment, whatever arrives meanwhile', async () => {
  const { store, wire, direct } = await behindWire();
  await store.append(events(1, 2), 0);
  const arrives = async () => void (await direct.insertOne(documentAt(2, 3)));
  wire.before('find', async () => wire.before('find', arrives));
  expect(await store.head()).toEqual({ size: 2, positions: { PLACET: 2, PLACET_CONFIG: 0 } });
  expect(await store.head()).toEqual({ size: 3, positions: { PLACET: 3, PLACET_CONFIG: 0 } });
});

test('a duplicate key that no other sequencer explains is an error, not a fence', async () => {
  const { store, direct } = await behindWire();
  await direct.createIndex({ recordedAt: 1 }, { unique: true });
  await expect(store.append(events(1, 3), 0)).rejects.toThrow(/E11000/);
  expect(await store.head()).toMatchObject({ size: 1 });
});

test('every write asks for a majority and the journal, and goes in order', async () => {
  const { store, wire } = await behindWire();
  const insert = wire.next('insert');
  await store.append([event(1)], 0);
  const { ordered, writeConcern } = commandOf(await insert);
  expect({ ordered, writeConcern }).toMatchObject({
    ordered: true,
    writeConcern: { w: 'majority', j: true },
  });
});

test.concurrent('a server that is down is an error, not a hang', async () => {
  const url = 'mongodb://127.0.0.1:1/?directConnection=true';
  await expect(openMongoAuditStore({ url, database: 'x' })).rejects.toThrow();
}, 10_000);

test.concurrent('a server that is silent from the start is an error, not a hang', async () => {
  const wire = await startWire((await mongoPlace()).url);
  onTestFinished(wire.stop);
  wire.silence();
  await expect(openMongoAuditStore({ url: wire.url, database: 'x' })).rejects.toThrow();
}, 15_000);

test.concurrent('a server that goes away is unavailable, not a hang', async () => {
  const { store, wire } = await behindWire();
  await store.append([event(1)], 0);
  await wire.stop();
  await expect(store.append([event(2)], 1)).rejects.toThrow(Unavailable);
}, 20_000);

test.concurrent('a server that falls silent is unavailable, not a hang', async () => {
  const { store, wire } = await behindWire();
  await store.append([event(1)], 0);
  wire.silence();
  await expect(store.append([event(2)], 1)).rejects.toThrow(Unavailable);
}, 30_000);

test.concurrent('a command that is never answered ends, and is stored once when it is tried again', async () => {
  const { store, wire } = await behindWire();
  wire.before('insert', () => new Promise(() => {}));
  await store.append([event(1)], 0).catch(() => null);
  await appendUntilStored(store, [event(1)]);
  expectDense(await allOf(store), 1);
}, 40_000);

test('a record from before seals and flaws were kept has neither', async () => {
  const { store, direct } = await behindWire();
  const { seal: _, flaw: __, ...older } = documentAt(0, 1);
  await direct.insertOne(older);
  await store.append([event(1), event(2)], 1);
  expect(await allOf(store)).toEqual([
    { index: 0, ...event(1), seal: null },
    { index: 1, ...event(2) },
  ]);
});
