import { majority, writeConcern } from '@placet/runtime/mongo.ts';
import type { Collection, Db } from 'mongodb';
import type { StoredAction } from './mongo-action.ts';
import type { Position } from './store.ts';

/** The text is the truth: keys with dots and dollar signs, and numbers, that MongoDB would not keep as they are. */
export type EventRow = { action: string; agent: string; seq: number; body: string };
export type PositionRow = { _id: 'position' } & Position;
export type LeaseRow = { _id: 'lease'; holder: string; until: Date };

export type Collections = ReturnType<typeof collectionsOf>;
export type Actions = Collection<StoredAction>;

/** Events are documents of their own: an action has any number of votes, and a document has a limit. */
export function collectionsOf(database: Db) {
  const options = { writeConcern, ...majority };
  return {
    actions: database.collection<StoredAction>('actions', options),
    events: database.collection<EventRow>('events', options),
    position: database.collection<PositionRow>('meta', options),
    lease: database.collection<LeaseRow>('meta', options),
  };
}

/** Most actions are decided by the policy alone, and nothing is to be done of them: those are in the first only. */
export async function createIndexes({ actions, events }: Collections): Promise<void> {
  await events.createIndex({ action: 1, agent: 1, seq: 1 }, { unique: true });
  await actions.createIndexes([
    { key: { action: 1, agent: 1 } },
    { key: { 'listed.keys': 1, 'listed.status': 1, 'listed.seq': -1, 'listed.at': 1 }, sparse: true },
    {
      key: { 'listed.keys': 1, 'listed.agent': 1, 'listed.status': 1, 'listed.seq': -1, 'listed.at': 1 },
      sparse: true,
    },
    { key: { 'listed.at': 1, 'listed.seq': 1 }, sparse: true },
    { key: { 'inCase.name': 1, 'inCase.seq': 1 }, sparse: true },
    { key: { 'listed.case': 1, 'listed.seq': -1 }, sparse: true },
    { key: { 'open.of': 1, 'open.at': 1, 'open.seq': 1 }, sparse: true },
    { key: { 'owed.at': 1, 'owed.seq': 1 }, sparse: true },
  ]);
}
