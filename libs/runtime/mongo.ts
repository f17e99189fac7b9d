import {
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { Unavailable } from './errors.ts';

export type MongoPlace = { url: string; database: string };

const duplicateKey = 11_000;
/**
 * The server's time was up, no majority confirmed, no room on the disk; it is shutting down, or is no primary, or not
 * any more.
 */
const unavailableCodes: readonly unknown[] = [
  50, 64, 14_031, 91, 189, 10_058, 10_107, 11_600, 11_602, 13_435, 13_436,
];
const connectionsMax = 10;
const selectionTimeoutMs = 5_000;
const replyTimeoutMs = 10_000;
const majorityTimeoutMs = 8_000;

/** For `maxTimeMS`: shorter than the time we wait for a reply, so that the server ends what nobody waits for. */
export const queryTimeoutMs = 8_000;

export const writeConcern = { w: 'majority', journal: true, wtimeoutMS: majorityTimeoutMs } as const;
export const majority = { readConcern: { level: 'majority' }, readPreference: 'primary' } as const;

/**
 * Connects, and closes again when the rest of the opening fails. A server that is away is an error within seconds; of
 * the store's own methods it is `Unavailable`, as whoever asked may ask again.
 */
export async function openMongo<Store extends object>(
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
    return saysUnavailable(await open(client));
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

function saysUnavailable<Store extends object>(store: Store): Store {
  const methods = Object.entries(store).map(([name, method]) => [
    name,
    async (...given: unknown[]) => {
      try {
        return await method(...given);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        throw new Unavailable(`MongoDB cannot do it now: ${error.message}`, { cause: error });
      }
    },
  ]);
  return Object.fromEntries(methods) as Store;
}

function isUnavailable(error: unknown): error is MongoError {
  if (!(error instanceof MongoError)) return false;
  // A connection that broke in the middle of a batch is told as the batch's error.
  if (error instanceof MongoBulkWriteError && isUnavailable(error.errorResponse)) return true;
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    // No connection got free in time; the driver does not export this class.
    error.name === 'MongoWaitQueueTimeoutError' ||
    error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
    unavailableCodes.includes(error.code)
  );
}
