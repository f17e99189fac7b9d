import type { PlacetEvent } from '@placet/events';
import {
  isDuplicate,
  isDuplicateOnly,
  type MongoPlace,
  majority,
  openMongo,
  queryTimeoutMs,
  writeConcern,
} from '@placet/runtime/mongo.ts';
import type { Db, MongoClient } from 'mongodb';
import { anybody, keyOf, merging, type StoredAction, type Told, toldBy } from './mongo-action.ts';
import {
  type ActionRecord,
  type DueAction,
  type ForgedMessage,
  isKept,
  type ListQuery,
  type OutcomeStore,
  type Position,
  type StoredEvent,
} from './store.ts';

/** The text is the truth: keys with dots and dollar signs, and numbers, that MongoDB would not keep as they are. */
type EventRow = { action: string; agent: string; seq: number; body: string };
type PositionRow = { _id: 'position' } & Position;
type LeaseRow = { _id: 'lease'; holder: string; until: Date };

/** How much later than it should a lease may end, for clocks that differ. */
const leaseFactorMax = 10;
/** A collision of two first writes ends with the first try that finds the document there. */
const mergeAttemptsMax = 3;

export function openMongoOutcomeStore(place: MongoPlace): Promise<OutcomeStore> {
  return openMongo(place.url, 'placet-decisions', async (client) => {
    const collections = collectionsOf(client.db(place.database));
    await createIndexes(collections);
    return store(client, collections);
  });
}

type Collections = ReturnType<typeof collectionsOf>;

/** Events are documents of their own: an action has any number of votes, and a document has a limit. */
function collectionsOf(database: Db) {
  const options = { writeConcern, ...majority };
  return {
    actions: database.collection<StoredAction>('actions', options),
    events: database.collection<EventRow>('events', options),
    position: database.collection<PositionRow>('meta', options),
    lease: database.collection<LeaseRow>('meta', options),
  };
}

/** Most actions are decided by the policy alone, and nothing is to be done of them: those are in the first only. */
async function createIndexes({ actions, events }: Collections): Promise<void> {
  await events.createIndex({ action: 1, agent: 1, seq: 1 }, { unique: true });
  await actions.createIndexes([
    { key: { action: 1, agent: 1 } },
    { key: { 'needed.audience': 1, 'needed.seq': -1 }, sparse: true },
    { key: { 'needed.audience': 1, status: 1, 'needed.seq': -1 }, sparse: true },
    { key: { 'open.of': 1, 'open.at': 1, 'open.seq': 1 }, sparse: true },
    { key: { 'owed.at': 1, 'owed.seq': 1 }, sparse: true },
  ]);
}

function store(client: MongoClient, { actions, events, position, lease }: Collections): OutcomeStore {
  async function insertEvents(messages: (StoredEvent | ForgedMessage)[]): Promise<void> {
    const rows = messages.flatMap((message) => ('event' in message ? rowOf(message) : []));
    if (rows.length === 0) return;
    try {
      await events.insertMany(rows, { ordered: false });
    } catch (error) {
      // What was stored before is the same event.
      if (!isDuplicateOnly(error)) throw error;
    }
  }

  async function merge(told: Told[]): Promise<void> {
    if (told.length === 0) return;
    const updates = told.map((one) => ({
      updateOne: { filter: { _id: keyOf(one.action) }, update: merging(one), upsert: true },
    }));
    for (let attempt = 1; ; attempt++) {
      try {
        await actions.bulkWrite(updates, { ordered: false });
        return;
      } catch (error) {
        // Two instances made the same document; merging twice does no harm.
        if (!isDuplicateOnly(error) || attempt === mergeAttemptsMax) throw error;
      }
    }
  }

  /** The comparison is the server's, so that whoever was stopped and goes on later puts nothing back. */
  async function moveTo({ stream, seq }: Position): Promise<void> {
    const move = (upsert: boolean) =>
      position.updateOne({ _id: 'position', seq: { $lt: seq } }, { $set: { stream, seq } }, { upsert });
    try {
      await move(true);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      // It is there: already as far, or made by another in this moment.
      await move(false);
    }
  }

  /** Each action's in the stream's order, by its key. */
  async function eventsOf(actionIds: string[]): Promise<Map<string, StoredEvent[]>> {
    const rows = await events
      .find(
        { action: { $in: actionIds } },
        { sort: { action: 1, agent: 1, seq: 1 }, projection: { _id: 0 }, maxTimeMS: queryTimeoutMs },
      )
      .toArray();
    const found = Map.groupBy(rows, ({ action, agent }) => keyOf({ actionId: action, agent }));
    const parsed = ({ seq, body }: EventRow) => ({ seq, event: JSON.parse(body) as PlacetEvent });
    return new Map([...found].map(([key, own]) => [key, own.map(parsed)]));
  }

  /** One key at a time, so that an index has them in their order. */
  function heldOf(key: string, { status, before }: ListQuery, limit: number): Promise<StoredAction[]> {
    const page = { 'needed.audience': key, 'needed.seq': { $lt: before ?? Number.MAX_SAFE_INTEGER } };
    return actions
      .find(status === 'all' ? page : { ...page, status }, {
        sort: { 'needed.seq': -1 },
        limit,
        maxTimeMS: queryTimeoutMs,
      })
      .toArray();
  }

  async function openActions(of: 'held' | 'unjudged', until: Date, limit: number): Promise<DueAction[]> {
    const found = await actions
      .find(
        { 'open.of': of, 'open.at': upTo(until) },
        { sort: { 'open.at': 1, 'open.seq': 1 }, limit, maxTimeMS: queryTimeoutMs },
      )
      .toArray();
    return found.map(({ action, agent }) => ({ actionId: action, agent }));
  }

  const countOpenActions = (of: 'held' | 'unjudged') =>
    actions.countDocuments({ 'open.of': of }, { maxTimeMS: queryTimeoutMs });

  return {
    // Events first, so that whoever finds an action finds what is known of it; the position last.
    async apply(messages, read) {
      await insertEvents(messages);
      await merge(toldBy(messages));
      await moveTo(read);
    },

    async position() {
      const found = await position.findOne({ _id: 'position' }, { maxTimeMS: queryTimeoutMs });
      return found && { stream: found.stream, seq: found.seq };
    },

    async lead(holder, now, forMs) {
      // One that ends later than any that was taken is nobody's who leads.
      const absurd = new Date(now.getTime() + leaseFactorMax * forMs);
      const isFree = { $or: [{ holder }, { until: { $lte: now } }, { until: { $gt: absurd } }] };
      const until = new Date(now.getTime() + forMs);
      try {
        await lease.updateOne({ _id: 'lease', ...isFree }, { $set: { holder, until } }, { upsert: true });
        return true;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        return false;
      }
    },

    async block({ actionId, agent, seq }) {
      await merge([{ action: { actionId, agent }, marks: { decided: { seq, blocked: true } } }]);
    },

    async get(actionId) {
      const [found, known] = await Promise.all([
        actions.find({ action: actionId }, { sort: { agent: 1 }, maxTimeMS: queryTimeoutMs }).toArray(),
        eventsOf([actionId]),
      ]);
      // Of several the one that has events of ours is the agent who asked.
      const asked = found.find(({ _id }) => known.has(_id)) ?? found[0];
      return asked ? recordOf(asked, known.get(asked._id)) : null;
    },

    async list(query) {
      const keys = new Set(query.audience ?? [anybody]);
      const found = await Promise.all([...keys].map((key) => heldOf(key, query, query.limit + 1)));
      const byKey = new Map(found.flat().map((action) => [action._id, action]));
      const newest = [...byKey.values()].toSorted((one, other) => seqOf(other) - seqOf(one));
      const page = newest.slice(0, query.limit);
      const known = await eventsOf(page.map(({ action }) => action));
      const last = page.at(-1);
      return {
        records: page.map((action) => recordOf(action, known.get(action._id))),
        before: last && newest.length > page.length ? seqOf(last) : null,
      };
    },

    async due(now, requestedBefore, limit) {
      const [overdue, unjudged] = await Promise.all([
        openActions('held', now, limit),
        openActions('unjudged', requestedBefore, limit),
      ]);
      return [...overdue, ...unjudged];
    },

    async owed(now, limit) {
      const found = await actions
        .find(
          { 'owed.at': upTo(now) },
          { sort: { 'owed.at': 1, 'owed.seq': 1 }, limit, maxTimeMS: queryTimeoutMs },
        )
        .toArray();
      return found.flatMap(({ action, agent, owed }) =>
        owed ? [{ actionId: action, agent, seq: owed.seq }] : [],
      );
    },

    async settle(action) {
      await actions.updateOne(
        { _id: keyOf(action), 'owed.seq': { $lte: action.seq } },
        { $unset: { owed: 1 } },
      );
    },

    async countOpen() {
      const [held, unjudged] = await Promise.all([countOpenActions('held'), countOpenActions('unjudged')]);
      return { held, undecided: held + unjudged };
    },

    async close() {
      await client.close();
    },
  };
}

function rowOf({ seq, event }: StoredEvent): EventRow[] {
  if (!('action_id' in event.data) || !isKept(event)) return [];
  const { action_id: action, agent } = event.data;
  return [{ action, agent, seq, body: JSON.stringify(event) }];
}

/** The events were read at another moment than the action, so which request is the last is theirs to say. */
function recordOf(
  { action, agent, requested, decided }: StoredAction,
  known: StoredEvent[] = [],
): ActionRecord {
  const last = known.findLast(({ event }) => event.type === 'action.requested');
  const from = Math.max(requested?.seq ?? 0, last?.seq ?? 0);
  const blocked = decided?.blocked === true && decided.seq > from;
  return { actionId: action, agent, events: known.filter(({ seq }) => seq >= from), blocked };
}

function seqOf({ needed }: StoredAction): number {
  return needed?.seq ?? 0;
}

/** Dates are whole milliseconds. With $lte secantusdb 0.7 misses the equal ones where an index goes on behind them. */
function upTo(time: Date) {
  return { $lt: new Date(time.getTime() + 1) };
}
