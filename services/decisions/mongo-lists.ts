import { queryTimeoutMs } from '@placet/runtime/mongo.ts';
import type { Filter } from 'mongodb';
import { anybody, clocksDifferMaxMs } from './asked.ts';
import type { StoredAction } from './mongo-action.ts';
import { type Actions, listIndexes } from './mongo-collections.ts';
import type { ListQuery, Selection } from './store.ts';

const statusesOf = {
  pending: ['pending'],
  decided: ['decided'],
  all: ['pending', 'decided'],
} as const;

const latestSeq = Number.MAX_SAFE_INTEGER;

/** The searches of the lists, each of which an index answers in its order. */
export type Lists = {
  page(query: ListQuery): Promise<StoredAction[]>;
  count(selection: Selection, max: number): Promise<{ count: number; oldest: Date | null }>;
  ofCase(name: string, after: number, limit: number): Promise<StoredAction[]>;
};

/** Named where there are several keys or two ranges, for not every server chooses it then. */
const named = ({ agent }: Selection) => ({
  hint: agent === undefined ? listIndexes.all : listIndexes.ofAgent,
});

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

  async function conditionsOf({ agent, until }: Selection, before: number): Promise<Filter<StoredAction>> {
    const end = until ? Math.min(before, await endOf(until)) : before;
    return {
      'listed.seq': { $lt: end },
      ...(agent === undefined ? {} : { 'listed.agent': agent }),
      ...(until ? { 'listed.at': upTo(until) } : {}),
    };
  }

  /** One key and one status at a time, so that an index has them in their order. */
  async function search(
    selection: Selection,
    conditions: Filter<StoredAction>,
    page: { direction: 1 | -1; limit: number },
  ): Promise<StoredAction[]> {
    const { status, audience, until } = selection;
    const places = [...new Set(audience ?? [anybody])].flatMap((key) =>
      statusesOf[status].map((one) => ({ 'listed.keys': key, 'listed.status': one })),
    );
    const options = {
      sort: { 'listed.seq': page.direction },
      limit: page.limit,
      ...(until ? named(selection) : {}),
      maxTimeMS: queryTimeoutMs,
    };
    const found = await Promise.all(
      places.map((place) => actions.find({ ...place, ...conditions }, options).toArray()),
    );
    const byId = new Map(found.flat().map((action) => [action._id, action]));
    return [...byId.values()]
      .toSorted((one, other) => page.direction * (seqOf(one) - seqOf(other)))
      .slice(0, page.limit);
  }

  /** Whoever is found under several keys counts once. */
  async function countOf(
    selection: Selection,
    conditions: Filter<StoredAction>,
    max: number,
  ): Promise<number> {
    const { audience, until } = selection;
    const [key, ...others] = new Set(audience ?? [anybody]);
    if (key === undefined) return 0;
    const isPlain = others.length === 0 && !until;
    return actions.countDocuments(
      { 'listed.keys': others.length === 0 ? key : { $in: [key, ...others] }, ...conditions },
      { limit: max, ...(isPlain ? {} : named(selection)), maxTimeMS: queryTimeoutMs },
    );
  }

  return {
    async page({ before = latestSeq, limit, ...selection }) {
      return search(selection, await conditionsOf(selection, before), { direction: -1, limit });
    },

    async count(selection, max) {
      const { status } = selection;
      const conditions = await conditionsOf(selection, latestSeq);
      const [counts, [oldest]] = await Promise.all([
        Promise.all(
          statusesOf[status].map((one) => countOf(selection, { 'listed.status': one, ...conditions }, max)),
        ),
        search(selection, conditions, { direction: 1, limit: 1 }),
      ]);
      const count = Math.min(
        max,
        counts.reduce((sum, one) => sum + one, 0),
      );
      return { count, oldest: oldest?.listed?.at ?? null };
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

function seqOf({ listed }: StoredAction): number {
  return listed?.seq ?? 0;
}

/** Dates are whole milliseconds. With $lte secantusdb 0.7 misses the equal ones where an index goes on behind them. */
export function upTo(time: Date) {
  return { $lt: new Date(time.getTime() + 1) };
}
