import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { MongoClient } from 'mongodb';

/** An event as the decisions service has stored it. */
export type StoredOutcome = { action: string; agent: string; seq: number; body: string };

/** The services' stores as they lie there, read past the services. */
export type Stores = {
  /** How far the decisions service has read the stream. */
  position(): Promise<number>;
  /** Actions that are undecided, or of which something is still owed. */
  unfinished(): Promise<string[]>;
  outcomes(): Promise<StoredOutcome[]>;
  recordSize(): Promise<number>;
  close(): Promise<void>;
};

/** Later than anything that is owed. */
const farAway = new Date('2999-01-01');

export async function openMongoStores(url: string): Promise<Stores> {
  const client = await new MongoClient(url).connect();
  const decisions = client.db('placet_decisions');
  const actions = decisions.collection('actions');
  const records = client.db('placet_audit').collection('records');
  return {
    async position() {
      const found = await decisions
        .collection<{ _id: string; seq: number }>('meta')
        .findOne({ _id: 'position' });
      return found?.seq ?? 0;
    },
    async unfinished() {
      // By the indexes that there are: to go through everything would keep the services waiting.
      const found = await Promise.all([
        actions.find({ 'open.of': 'held' }).toArray(),
        actions.find({ 'open.of': 'unjudged' }).toArray(),
        actions.find({ 'owed.at': { $lt: farAway } }).toArray(),
      ]);
      return found.flat().map(({ action }) => String(action));
    },
    async outcomes() {
      const rows = await decisions.collection<StoredOutcome>('events').find({}).toArray();
      return rows.map(({ action, agent, seq, body }) => ({ action, agent, seq, body }));
    },
    async recordSize() {
      const last = await records.findOne({}, { sort: { index: -1 }, projection: { index: 1 } });
      return last ? Number(last['index']) + 1 : 0;
    },
    close: () => client.close(),
  };
}

export function openFileStores(dir: string): Stores {
  const decisions = new DatabaseSync(join(dir, 'decisions.sqlite'), { readOnly: true });
  const audit = new DatabaseSync(join(dir, 'audit.sqlite'), { readOnly: true });
  const numberIn = (database: DatabaseSync, sql: string) => Number(database.prepare(sql).get()?.['n'] ?? 0);
  return {
    async position() {
      return numberIn(
        decisions,
        "SELECT json_extract(value, '$.seq') AS n FROM meta WHERE name = 'position'",
      );
    },
    async unfinished() {
      // What was only logged is an action, too, and is never decided.
      const sql = `SELECT action_id FROM actions WHERE owed_seq IS NOT NULL
        OR (decided_seq IS NULL AND (requested_seq IS NOT NULL OR needed_seq IS NOT NULL))`;
      return decisions
        .prepare(sql)
        .all()
        .map((row) => String(row['action_id']));
    },
    async outcomes() {
      const sql =
        'SELECT a.action_id AS action, a.agent, e.seq, e.body FROM events e JOIN actions a ON a.id = e.action';
      const rows = decisions.prepare(sql).all();
      return rows as StoredOutcome[];
    },
    async recordSize() {
      return numberIn(audit, 'SELECT count(*) AS n FROM records');
    },
    async close() {
      decisions.close();
      audit.close();
    },
  };
}
