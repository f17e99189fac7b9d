import { MongoBulkWriteError, MongoClient, MongoServerError } from 'mongodb';

export type MongoPlace = { url: string; database: string };

const duplicateKey = 11_000;
const connectionsMax = 10;
const selectionTimeoutMs = 5_000;
const replyTimeoutMs = 10_000;
const majorityTimeoutMs = 8_000;

/** For `maxTimeMS`: shorter than the time we wait for a reply, so that the server ends what nobody waits for. */
export const queryTimeoutMs = 8_000;

export const writeConcern = { w: 'majority', journal: true, wtimeoutMS: majorityTimeoutMs } as const;
export const majority = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const;

/** Connects, and closes again when the rest of the opening fails. A server that is away is an error within seconds. */
export async function openMongo<Store>(
  url: string,
  appName: string,
  open: (client: MongoClient) => Promise<Store>,
): Promise<Store> {
  const client = new MongoClient(url, {
    appName,
    maxPoolSize: connectionsMax,
    serverSelectionTimeoutMS: selectionTimeoutMs,
    connectTimeoutMS: selectionTimeoutMs,
    waitQueueTimeoutMS: selectionTimeoutMs,
    socketTimeoutMS: replyTimeoutMs,
  });
  try {
    await client.connect();
    return await open(client);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The one document of a command has a key that is there already. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === duplicateKey;
}

/** An error of which every part is a key that is there already, and the rest is safe with a majority. */
export function isDuplicateOnly(error: unknown): error is MongoBulkWriteError {
  if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError()) return false;
  const parts = [error.writeErrors].flat();
  return parts.length > 0 && parts.every((part) => part.code === duplicateKey);
}
