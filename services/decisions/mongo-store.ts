import type { PlacetEvent } from '@placet/events';
import {
  isDuplicate,
  isDuplicateOnly,
  type MongoPlace,
  openMongo,
  queryTimeoutMs,
} from '@placet/runtime/mongo.ts';
import type { MongoClient } from 'mongodb';
import { keyOf, merging, type StoredAction, type Told, toldBy } from './mongo-action.ts';
import { type Collections, collectionsOf, createIndexes, type EventRow } from './mongo-collections.ts';
import { createLists, upTo } from './mongo-lists.ts';
import { bringUpToDate } from './mongo-migration.ts';
import {
  type ActionRecord,
  type DueAction,
  type ForgedMessage,
  isKept,
  type OutcomeStore,
  type Position,
  type StoredEvent,
} from './store.ts';

/** How much later than it should a lease may end, for clocks that differ. */
const leaseFactorMax = 10;
/** A collision of two first writes ends with the first try that finds the document there. */
const mergeAttemptsMax = 3;

export function openMongoOutcomeStore(place: MongoPlace): Promise<OutcomeStore> {
  return openMongo(place.url, 'placet-decisions', async (client) => {
    const collections = collectionsOf(client.db(place.database));
    await createIndexes(collections);
    await bringUpToDate(collections.actions);
    return store(client, collections);
  });
}

type Known = { action: string; agent: string; events: StoredEvent[] };

function store(client: MongoClient, { actions, events, position, lease }: Collections): OutcomeStore {
  const lists = createLists(actions);

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

  /** Of each action what is known of it in the stream's order, by its key. */
  async function eventsOf(actionIds: string[]): Promise<Map<string, Known>> {
    const rows = await events
      .find(
        { action: { $in: actionIds } },
        { sort: { action: 1, agent: 1, seq: 1 }, projection: { _id: 0 }, maxTimeMS: queryTimeoutMs },
      )
      .toArray();
    const found = new Map<string, Known>();
    for (const { action, agent, seq, body } of rows) {
      const key = keyOf({ actionId: action, agent });
      const known = found.get(key) ?? { action, agent, events: [] };
      known.events.push({ seq, event: JSON.parse(body) as PlacetEvent });
      found.set(key, known);
    }
    return found;
  }

  async function recordsOf(page: StoredAction[]): Promise<ActionRecord[]> {
    const known = await eventsOf(page.map(({ action }) => action));
    return page.map((action) => recordOf(action, known.get(action._id)?.events));
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
      // Of several the one that has events of ours is the agent who asked, or who told of it.
      const [key, told] = known.entries().next().value ?? [found[0]?._id];
      const action = found.find(({ _id }) => _id === key) ?? told;
      return action ? recordOf(action, told?.events) : null;
    },

    async list(query) {
      const found = await lists.page({ ...query, limit: query.limit + 1 });
      const page = found.slice(0, query.limit);
      const before = found.length > page.length ? page.at(-1)?.requested?.seq : null;
      return { records: await recordsOf(page), before: before ?? null };
    },

    count: (selection, max) => lists.count(selection, max),

    async ofCase(name, { after = 0, limit }) {
      const found = await lists.ofCase(name, after, limit + 1);
      const page = found.slice(0, limit);
      const last = found.length > page.length ? page.at(-1)?.inCase?.seq : null;
      return { records: await recordsOf(page), after: last ?? null };
    },

    async lastOfCase(name, limit) {
      return recordsOf(await lists.lastOfCase(name, limit));
    },

    async lastHeldOfCase(name, limit) {
      return recordsOf(await lists.lastHeldOfCase(name, limit));
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
  { action, agent, requested, decided }: Pick<StoredAction, 'action' | 'agent' | 'requested' | 'decided'>,
  known: StoredEvent[] = [],
): ActionRecord {
  const last = known.findLast(({ event }) => event.type === 'action.requested');
  const from = Math.max(requested?.seq ?? 0, last?.seq ?? 0);
  const blocked = decided?.blocked === true && decided.seq > from;
  return { actionId: action, agent, events: known.filter(({ seq }) => seq >= from), blocked };
}
