import { queryTimeoutMs } from '@placet/runtime/mongo.ts';
import type { Document, Filter } from 'mongodb';
import { anybody, clocksDifferMaxMs } from './asked.ts';
import type { StoredAction } from './mongo-action.ts';
import type { Actions } from './mongo-collections.ts';
import type { ListQuery, Selection } from './store.ts';

const statusesOf = {
  pending: ['pending'],
  decided: ['decided'],
  all: ['pending', 'decided'],
} as const;

const options = { maxTimeMS: queryTimeoutMs };
const latestSeq = Number.MAX_SAFE_INTEGER;

/** Where an index has what is looked for, beside the keys and the status. */
type Place = Filter<StoredAction>;

/** The searches of the lists, each of which an index answers in its order. */
export type Lists = {
  page(query: ListQuery): Promise<StoredAction[]>;
  count(selection: Selection, max: number): Promise<{ count: number; oldest: Date | null }>;
  ofCase(name: string, after: number, limit: number): Promise<StoredAction[]>;
  lastOfCase(name: string, limit: number): Promise<StoredAction[]>;
  lastHeldOfCase(name: string, limit: number): Promise<StoredAction[]>;
};

export function createLists(actions: Actions): Lists {
  /** Where in the stream the requests after this time begin. */
  async function endOf(until: Date): Promise<number> {
    const later = new Date(until.getTime() + clocksDifferMaxMs);
    const [first] = await actions
      .find(
        { 'listed.at': { $gt: later } },
        { sort: { 'listed.at': 1, 'listed.seq': 1 }, limit: 1, maxTimeMS: queryTimeoutMs },
      )
      .toArray();
    return first?.listed?.seq ?? latestSeq;
  }

  async function placeOf({ agent, until }: Selection, before: number): Promise<Place> {
    const end = until ? Math.min(before, await endOf(until)) : before;
    return {
      ...(agent === undefined ? {} : { 'listed.agent': agent }),
      'listed.seq': { $lt: end },
    };
  }

  /** One key and one status at a time, so that an index has them in their order. */
  async function search(
    { status, audience, until }: Selection,
    place: Place,
    page: { direction: 1 | -1; limit: number },
  ): Promise<StoredAction[]> {
    const places = [...new Set(audience ?? [anybody])].flatMap((key) =>
      statusesOf[status].map((one) => ({ 'listed.keys': key, 'listed.status': one, ...place })),
    );
    const rest = [{ $sort: { 'listed.seq': page.direction } }, { $limit: page.limit }];
    const found = await Promise.all(
      places.map((each) =>
        actions
          .aggregate<StoredAction>([{ $match: each }, ...requestedUntil(until), ...rest], options)
          .toArray(),
      ),
    );
    const byId = new Map(found.flat().map((action) => [action._id, action]));
    return [...byId.values()]
      .toSorted((one, other) => page.direction * (seqOf(one) - seqOf(other)))
      .slice(0, page.limit);
  }

  /** Whoever is found under several keys counts once. */
  async function countOf({ audience, until }: Selection, place: Place, max: number): Promise<number> {
    const [key, ...others] = new Set(audience ?? [anybody]);
    if (key === undefined) return 0;
    const matches =
      others.length === 0
        ? [{ $match: { 'listed.keys': key, ...place } }]
        : [{ $match: { 'listed.keys': { $in: [key, ...others] } } }, { $match: place }];
    const rest = [{ $limit: max }, { $count: 'count' }];
    const [counted] = await actions
      .aggregate<{ count: number }>([...matches, ...requestedUntil(until), ...rest], options)
      .toArray();
    return counted?.count ?? 0;
  }

  return {
    async page({ before = latestSeq, limit, ...selection }) {
      return search(selection, await placeOf(selection, before), { direction: -1, limit });
    },

    async count(selection, max) {
      const { status } = selection;
      const place = await placeOf(selection, latestSeq);
      const [counts, [oldest]] = await Promise.all([
        Promise.all(
          statusesOf[status].map((one) => countOf(selection, { 'listed.status': one, ...place }, max)),
        ),
        search(selection, place, { direction: 1, limit: 1 }),
      ]);
      const count = Math.min(
        max,
        counts.reduce((sum, one) => sum + one, 0),
      );
      return { count, oldest: oldest?.listed?.at ?? null };
    },

    lastOfCase(name, limit) {
      return actions
        .find({ 'inCase.name': name }, { sort: { 'inCase.seq': -1 }, limit, maxTimeMS: queryTimeoutMs })
        .toArray();
    },

    lastHeldOfCase(name, limit) {
      return actions
        .find({ 'listed.case': name }, { sort: { 'listed.seq': -1 }, limit, maxTimeMS: queryTimeoutMs })
        .toArray();
    },

    ofCase(name, after, limit) {
      return actions
        .find(
          { 'inCase.name': name, 'inCase.seq': { $gt: after } },
          { sort: { 'inCase.seq': 1 }, limit, maxTimeMS: queryTimeoutMs },
        )
        .toArray();
    },
  };
}

/**
 * A match of its own: not every server finds an index for several keys or two ranges in one, and to others it is the
 * same.
 */
function requestedUntil(until: Date | undefined): Document[] {
  return until ? [{ $match: { 'listed.at': upTo(until) } }] : [];
}

function seqOf({ listed }: StoredAction): number {
  return listed?.seq ?? 0;
}

/** Dates are whole milliseconds. With $lte secantusdb 0.7 misses the equal ones where an index goes on behind them. */
export function upTo(time: Date) {
  return { $lt: new Date(time.getTime() + 1) };
}
