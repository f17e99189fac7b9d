import { freshDatabase } from '@placet/cluster';
import { freePort } from '@placet/cluster/ports.ts';
import { eventually, releaseAfterEach, releaseAfterTest } from '@placet/testing';
import { MongoClient } from 'mongodb';
import { expect, inject, test } from 'vitest';
import { type MongoGate, startMongoGate } from './mongo-gate.ts';

releaseAfterEach();

async function start() {
  const { url, database, drop } = freshDatabase(inject('mongo').url);
  releaseAfterTest('database', drop);
  const gate: MongoGate = await startMongoGate(url, await freePort());
  releaseAfterTest('gate', () => gate.stop());
  const client = new MongoClient(gate.url, { serverSelectionTimeoutMS: 3000, retryReads: false });
  releaseAfterTest('client', () => client.close());
  return { gate, things: client.db(database).collection<{ _id: number }>('things') };
}

test('a MongoDB without room refuses to write with its own code, and reads', async () => {
  const { gate, things } = await start();
  await things.insertOne({ _id: 1 });
  await gate.become('full');
  await expect(things.insertOne({ _id: 2 })).rejects.toMatchObject({ code: 14031 });
  await expect(things.updateOne({ _id: 1 }, { $set: { n: 1 } })).rejects.toMatchObject({ code: 14031 });
  expect(await things.find().toArray()).toEqual([{ _id: 1 }]);
  await gate.become('well');
  await things.insertOne({ _id: 2 });
  expect(await things.countDocuments()).toBe(2);
});

test('a MongoDB that is down is reached by nobody until it is back', async () => {
  const { gate, things } = await start();
  await things.insertOne({ _id: 1 });
  await gate.become('down');
  await expect(things.findOne()).rejects.toThrow();
  await gate.become('well');
  await eventually(async () => expect(await things.findOne()).toEqual({ _id: 1 }));
});

test('a slow MongoDB does everything, in its order', async () => {
  const { gate, things } = await start();
  await gate.become('slow');
  await Promise.all([1, 2, 3].map((_id) => things.insertOne({ _id })));
  expect(await things.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
});
