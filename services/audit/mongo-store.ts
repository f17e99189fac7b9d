import { configStream, eventStream } from '@placet/events';
import {
  isDuplicateOnly,
  type MongoPlace,
  majority,
  openMongo,
  queryTimeoutMs,
  writeConcern,
} from '@placet/runtime/mongo.ts';
import type { Collection, Filter, MongoClient } from 'mongodb';
import {
  type Appended,
  type AuditQuery,
  type AuditRecord,
  type AuditStore,
  type AuditStream,
  auditStreams,
  checkAppend,
  checkQuery,
  type Head,
  type NewRecord,
  pageOf,
  planAppend,
  type Recorded,
} from './store.ts';

/**
 * Below the size (16 MB) at which the driver would make two commands out of one insertMany. It sends the second also
 * when the first was not confirmed by a majority, so that a change of primary in between could leave a gap.
 */
const chunkBytesMax = 4 * 1024 * 1024;
const documentOverheadBytes = 4 * 1024;

const local = { readConcern: { level: 'local' }, readPreference: 'primary' } as const;

type Stored = Omit<AuditRecord, 'id'> & { _id: string };

/** Flaws are rare, and only they are in the index. */
const hasFlaw = { flaw: { $gt: '' } };

export function openMongoAuditStore(place: MongoPlace): Promise<AuditStore> {
  return openMongo(place.url, 'placet-audit', async (client) => {
    const records = client.db(place.database).collection<Stored>('records');
    await createIndexes(records);
    return store(client, records);
  });
}

async function createIndexes(records: Collection<Stored>): Promise<void> {
  await records.createIndexes([
    { key: { index: 1 }, unique: true },
    { key: { stream: 1, seq: 1 }, unique: true },
    { key: { time: 1, index: 1 } },
    { key: { agent: 1, index: 1 } },
    { key: { action: 1, index: 1 } },
    { key: { case: 1, index: 1 } },
    { key: { type: 1, index: 1 } },
    { key: { flaw: 1, index: 1 }, partialFilterExpression: hasFlaw },
  ]);
}

function store(client: MongoClient, records: Collection<Stored>): AuditStore {
  /** Indexes have no gaps (see `append`), so the last one says how many there are. */
  async function size(concern: typeof majority | typeof local): Promise<number> {
    const last = await records.findOne(
      {},
      { sort: { index: -1 }, projection: { _id: 0, index: 1 }, ...concern },
    );
    return last ? last.index + 1 : 0;
  }

  async function positionAt(stream: AuditStream, size: number): Promise<number> {
    const last = await records.findOne(
      { stream, index: { $lt: size } },
      { sort: { stream: -1, seq: -1 }, projection: { _id: 0, seq: 1 }, ...majority },
    );
    return last?.seq ?? 0;
  }

  async function recordedOf(batch: NewRecord[]): Promise<Recorded[]> {
    const places = auditStreams.map((stream) => ({
      stream,
      seq: { $in: batch.filter((record) => record.stream === stream).map((record) => record.seq) },
    }));
    const projection = { stream: 1, seq: 1, subject: 1, body: 1 } as const;
    // One index at a time: a server that does not put several together would go through the whole record.
    const wanted: Filter<Stored>[] = [{ _id: { $in: batch.map((record) => record.id) } }, ...places];
    const parts = await Promise.all(
      wanted.map((part) => records.find(part, { projection, ...majority }).toArray()),
    );
    const found = new Map(parts.flat().map((record) => [record._id, record])).values();
    return [...found].map(({ _id, stream, seq, subject, body }) => ({ id: _id, stream, seq, subject, body }));
  }

  /**
   * An index is written only after the one before it: in the same ordered command, or seen by a majority. The unique
   * index refuses the second of two sequencers, so there are neither gaps nor doubles.
   */
  async function insert(chunk: Stored[], expectedSize: number): Promise<'stored' | 'fenced'> {
    try {
      await records.insertMany(chunk, { ordered: true, writeConcern });
      return 'stored';
    } catch (error) {
      if (!isDuplicateOnly(error)) throw error;
      // The driver does not hand on which key it was, so the records are asked. Whatever another sequencer wrote (our
      // index, our id, our message) took an index that we counted on.
      if ((await size(local)) === expectedSize + error.insertedCount) throw error;
      return 'fenced';
    }
  }

  return {
    async head(): Promise<Head> {
      // The positions are those of the records that are counted, whatever arrives meanwhile.
      const counted = await size(majority);
      const position = (stream: AuditStream) => positionAt(stream, counted);
      const [event, config] = await Promise.all([position(eventStream), position(configStream)]);
      return { size: counted, positions: { [eventStream]: event, [configStream]: config } };
    },

    async append(batch, expectedSize): Promise<Appended> {
      checkAppend(batch, expectedSize);
      const fresh = planAppend(batch, await recordedOf(batch));
      const before = await size(majority);
      if (fresh.length === 0) return { outcome: 'stored', size: before };
      if (before !== expectedSize) return { outcome: 'fenced' };
      let stored = before;
      for (const chunk of chunksOf(fresh)) {
        const first = stored;
        const documents = chunk.map((record, offset) => documentOf(record, first + offset));
        if ((await insert(documents, first)) === 'fenced') return { outcome: 'fenced' };
        stored += chunk.length;
      }
      return { outcome: 'stored', size: stored };
    },

    async query(asked) {
      const query = checkQuery(asked);
      const found = await records
        .find(filterOf(query), {
          sort: { index: query.newest ? -1 : 1 },
          limit: query.limit + 1,
          maxTimeMS: queryTimeoutMs,
          ...majority,
        })
        .toArray();
      return pageOf(found.map(recordOfDocument), query.limit);
    },

    async close() {
      await client.close();
    },
  };
}

function* chunksOf(records: NewRecord[]): Generator<NewRecord[]> {
  let chunk: NewRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const more = Buffer.byteLength(record.body) + documentOverheadBytes;
    if (chunk.length > 0 && bytes + more > chunkBytesMax) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += more;
  }
  yield chunk;
}

function documentOf({ id, ...rest }: NewRecord, index: number): Stored {
  return { _id: id, index, ...rest };
}

/** A record from before seals and flaws were kept has neither. */
function recordOfDocument({ _id, seal = null, flaw = null, ...rest }: Stored): AuditRecord {
  return { id: _id, ...rest, seal, flaw };
}

function filterOf(query: AuditQuery): Filter<Stored> {
  const { from, until, after, agent, action, type, flawed, newest } = query;
  const equal = Object.entries({ agent, action, type, case: query.case }).filter(
    ([, value]) => value !== undefined,
  );
  const time = {
    ...(from === undefined ? {} : { $gte: from }),
    ...(until === undefined ? {} : { $lt: until }),
  };
  return {
    ...Object.fromEntries(equal),
    ...(after === undefined ? {} : { index: newest ? { $lt: after } : { $gt: after } }),
    ...(Object.keys(time).length === 0 ? {} : { time }),
    ...(flawed === undefined ? {} : hasFlaw),
  } as Filter<Stored>;
}
