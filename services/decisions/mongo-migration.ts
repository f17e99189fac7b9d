import { queryTimeoutMs } from '@placet/runtime/mongo.ts';
import { MongoServerError } from 'mongodb';
import { following } from './mongo-action.ts';
import type { Actions } from './mongo-collections.ts';

const batchMax = 200;
const indexNotFound = 27;

/** Of the version before. While they are there, documents of that version may be. */
const oldIndexes = ['needed.audience_1_needed.seq_-1', 'needed.audience_1_status_1_needed.seq_-1'];

const oldAsked = { seq: '$needed.seq', due: '$needed.deadline', audience: '$needed.audience' };

/**
 * The version before knew whom the last `approval.needed` asked, and no more. A batch at a time, so that none takes
 * longer than a reply may; again from the start where it was cut off, for the indexes go last.
 */
export async function bringUpToDate(actions: Actions): Promise<void> {
  const names = (await actions.indexes()).map(({ name }) => name);
  if (!oldIndexes.some((name) => names.includes(name))) return;
  const isOld = { 'needed.audience': { $exists: true } };
  for (;;) {
    const options = { projection: { _id: 1 }, limit: batchMax, maxTimeMS: queryTimeoutMs };
    const found = await actions.find(isOld, options).toArray();
    if (found.length === 0) break;
    const ids = found.map(({ _id }) => _id);
    await actions.updateMany({ _id: { $in: ids }, ...isOld }, [
      { $set: { asked: { $max: ['$asked', oldAsked] } } },
      { $set: following },
      { $unset: ['needed.deadline', 'needed.audience', 'status'] },
    ]);
  }
  for (const name of oldIndexes) await dropIndex(actions, name);
}

/** Another instance may have dropped it in this moment. */
async function dropIndex(actions: Actions, name: string): Promise<void> {
  try {
    await actions.dropIndex(name);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== indexNotFound) throw error;
  }
}
