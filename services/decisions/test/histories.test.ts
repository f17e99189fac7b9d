import { expect, inject, test } from 'vitest';
import type {} from '../../../libs/testing/mongodb-global-setup.ts';
import { deliver } from './deliveries.ts';
import { dump } from './dump.ts';
import { compareRebuild, differenceOf, historiesOf } from './histories.ts';
import { openInDatabase, openInDirectory } from './places.ts';

test('a store on SQLite that is built anew is the same, to the byte', async () => {
  const { difference, messages } = await compareRebuild(openInDirectory, { histories: 1000, seed: 1 });
  expect(messages).toBeGreaterThan(4000);
  expect(difference).toBeNull();
});

test('a store on MongoDB that is built anew is the same, to the byte', async () => {
  const open = () => openInDatabase(inject('mongo').url);
  const { difference } = await compareRebuild(open, { histories: 300, seed: 2 });
  expect(difference).toBeNull();
});

test('what the store on SQLite holds is to the byte what the one on MongoDB does', async () => {
  const made = historiesOf({ histories: 100, seed: 3 });
  const [sqlite, mongo] = [await openInDirectory(), await openInDatabase(inject('mongo').url)];
  try {
    for (const { store } of [sqlite, mongo]) await deliver(store, [made.messages, 500]);
    expect(differenceOf(await dump(sqlite.store, made), await dump(mongo.store, made))).toBeNull();
  } finally {
    await Promise.all([sqlite.drop(), mongo.drop()]);
  }
});
