import { freshDatabase } from '@placet/cluster/mongodb.ts';
import { MongoClient } from 'mongodb';
import { expect, inject, onTestFinished, test } from 'vitest';
import type {} from '../../../libs/testing/mongodb-global-setup.ts';
import { openMongoOutcomeStore } from '../mongo-store.ts';
import type { OutcomeStore } from '../store.ts';
import { apply, idsOf } from './deliveries.ts';
import { actionId, agent, at, decided, reminded } from './events.ts';

const oldIndexes = [
  { key: { action: 1, agent: 1 } },
  { key: { 'needed.audience': 1, 'needed.seq': -1 }, sparse: true },
  { key: { 'needed.audience': 1, status: 1, 'needed.seq': -1 }, sparse: true },
] as const;

/** An action as the version before wrote it. */
function oldAction(n: number, decidedSeq?: number) {
  const needed = { seq: 5000 + n, deadline: at(60), audience: ['*', n % 2 ? 'role:odd' : 'role:even'] };
  const requested = { seq: n, at: at(n) };
  const known = { _id: `${actionId(n)}/${agent}`, action: actionId(n), agent, requested, needed };
  return decidedSeq
    ? { ...known, decided: { seq: decidedSeq, blocked: false }, status: 'decided' }
    : { ...known, status: 'pending', open: { of: 'held', at: needed.deadline, seq: needed.seq } };
}

type OldAction = Partial<ReturnType<typeof oldAction>> & { _id: string };

async function oldDatabase(actions: OldAction[]) {
  const { url, database, drop } = freshDatabase(inject('mongo').url);
  onTestFinished(drop);
  const direct = new MongoClient(url);
  onTestFinished(() => direct.close());
  const collection = direct.db(database).collection<OldAction>('actions');
  await collection.createIndexes(oldIndexes.map((index) => ({ ...index })));
  await collection.insertMany(actions);
  const open = async (): Promise<OutcomeStore> => {
    const store = await openMongoOutcomeStore({ url, database });
    onTestFinished(() => store.close());
    return store;
  };
  return { collection, open };
}

test('what the version before wrote is listed, counted and due as what is written now', async () => {
  const automatic = {
    _id: `${actionId(9)}/${agent}`,
    action: actionId(9),
    agent,
    requested: { seq: 9, at: at(9) },
  };
  const { requested: _, ...unseen } = oldAction(4);
  const { collection, open } = await oldDatabase([
    oldAction(1),
    oldAction(2),
    oldAction(3, 9000),
    unseen,
    automatic,
  ]);
  // Twice: the second time finds it brought over.
  for (const store of [await open(), await open()]) {
    const listed = async (status: 'pending' | 'all', audience: string[] | null) =>
      idsOf((await store.list({ status, audience, limit: 10 })).records);
    expect(await listed('all', null)).toEqual([3, 2, 1].map(actionId));
    expect(await listed('pending', ['role:odd'])).toEqual([actionId(1)]);
    expect(await store.count({ status: 'all', audience: ['role:odd', 'role:even'] }, 10)).toEqual({
      count: 3,
      oldest: at(1),
    });
    expect(idsOf(await store.due(at(60), at(0), 10))).toEqual([1, 2, 4].map(actionId));
  }
  const names = (await collection.indexes()).map(({ name }) => String(name));
  expect(names.filter((name) => name.startsWith('needed.'))).toEqual([]);
  expect(await collection.findOne({ _id: `${actionId(1)}/${agent}` })).toEqual({
    _id: `${actionId(1)}/${agent}`,
    action: actionId(1),
    agent,
    requested: { seq: 1, at: at(1) },
    needed: { seq: 5001 },
    asked: { seq: 5001, due: at(60), audience: ['*', 'role:odd'] },
    listed: { keys: ['*', 'role:odd'], status: 'pending', seq: 1, agent, at: at(1) },
    open: { of: 'held', at: at(60), seq: 5001 },
  });
  expect(await collection.findOne({ _id: automatic._id })).toEqual(automatic);
  const store = await open();
  await apply(store, [
    { seq: 9001, event: reminded({ action: 1, audience: ['role:late'], due: at(99) }) },
    { seq: 9002, event: decided({ action: 2 }) },
  ]);
  expect(idsOf((await store.list({ status: 'all', audience: ['role:late'], limit: 10 })).records)).toEqual([
    actionId(1),
  ]);
  expect(idsOf(await store.due(at(98), at(0), 10))).toEqual([actionId(4)]);
});

test('more than one batch is brought over, by several at the same moment', async () => {
  const actions = Array.from({ length: 450 }, (_, n) => oldAction(n + 1));
  const { collection, open } = await oldDatabase(actions);
  const stores = await Promise.all([open(), open()]);
  for (const store of stores) {
    expect(await store.count({ status: 'pending', audience: ['role:even'] }, 10_000)).toMatchObject({
      count: 225,
    });
  }
  expect(await collection.countDocuments({ 'needed.audience': { $exists: true } })).toBe(0);
});
