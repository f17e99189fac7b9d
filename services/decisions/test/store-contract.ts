import type { PlacetEvent } from '@placet/events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ForgedMessage, OutcomeStore, StoredEvent } from '../store.ts';
import { actionId, at, closed, decided, needed, requested, voted } from './events.ts';

const inOrder = (...events: PlacetEvent[]): StoredEvent[] =>
  events.map((event, i) => ({ seq: i + 1, event }));
const stream = 'the stream';
const apply = (store: OutcomeStore, messages: (StoredEvent | ForgedMessage)[]) =>
  store.apply(messages, { stream, seq: Math.max(...messages.map(({ seq }) => seq)) });
const forged = (seq: number, action: number, isDecision: boolean): ForgedMessage => {
  return { seq, forged: { actionId: actionId(action), agent: 'support', isDecision }, at: at(5) };
};
const typesOf = (events: StoredEvent[] = []) => events.map(({ event }) => event.type);
const far = at(0);
const idsOf = (records: { actionId: string }[]) => records.map((record) => record.actionId);

/** What every store of outcomes does. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: OutcomeStore; reopen(): Promise<OutcomeStore>; drop(): Promise<void> }>,
) {
  describe(`the store of outcomes on ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    let store: OutcomeStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.drop());

    test('keeps the events of an action in the order of the stream', async () => {
      await apply(store, inOrder(requested(), needed(), voted(), decided()));
      const record = await store.get(actionId());
      expect(typesOf(record?.events)).toEqual([
        'action.requested',
        'approval.needed',
        'approval.voted',
        'action.decided',
      ]);
      expect(record?.agent).toBe('support');
      expect(await store.get(actionId(2))).toBeNull();
    });

    test('events that come twice and in any order make the same store', async () => {
      const events = inOrder(
        requested({ action: 1 }),
        requested({ action: 2 }),
        needed({ action: 1 }),
        needed({ action: 2 }),
        voted({ action: 1 }),
        decided({ action: 1 }),
        requested({ action: 3 }),
        decided({ action: 3 }),
        closed({ action: 1 }),
        requested({ action: 4 }),
        needed({ action: 4 }),
        voted({ action: 4 }),
      );
      const seen = async (from: OutcomeStore) => ({
        records: await Promise.all([1, 2, 3, 4].map((n) => from.get(actionId(n)))),
        pending: idsOf((await from.list({ status: 'pending', audience: null, limit: 10 })).records),
        decided: idsOf((await from.list({ status: 'decided', audience: null, limit: 10 })).records),
        due: await from.due(at(9999), at(9999), 10),
        owed: await from.owed(at(9999), 10),
        open: await from.countOpen(),
      });
      await apply(store, events);
      const expected = await seen(store);
      expect(expected).toMatchObject({
        pending: [actionId(4), actionId(2)],
        decided: [actionId(1)],
        owed: [{ actionId: actionId(4) }, { actionId: actionId(3) }],
        open: { held: 2, undecided: 2 },
      });
      const shuffled = fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 });
      await fc.assert(
        fc.asyncProperty(shuffled, async (deliveries) => {
          const other = await open();
          try {
            for (const delivery of deliveries) await apply(other.store, [delivery]);
            expect(await seen(other.store)).toEqual(expected);
          } finally {
            await other.drop();
          }
        }),
        { numRuns: 25 },
      );
    });

    test('a later request under the same id is another action', async () => {
      await apply(store, inOrder(requested(), needed(), decided({ decision: 'allowed' })));
      await apply(store, [{ seq: 10, event: requested({ now: at(100) }) }]);
      expect(typesOf((await store.get(actionId()))?.events)).toEqual(['action.requested']);
      expect(await store.due(far, at(200), 10)).toEqual([{ actionId: actionId(), agent: 'support' }]);
    });

    test('an action whose decision is blocked is over: not due, and not pending', async () => {
      await apply(store, inOrder(requested(), needed({ deadline: at(60) })));
      await store.block({ actionId: actionId(), agent: 'support', seq: 3 });
      await store.block({ actionId: actionId(), agent: 'support', seq: 3 });
      expect(await store.due(at(9999), at(9999), 10)).toEqual([]);
      expect((await store.list({ status: 'pending', audience: null, limit: 10 })).records).toEqual([]);
      expect(await store.get(actionId())).toMatchObject({ blocked: true });
      await apply(store, [{ seq: 10, event: requested({ now: at(100) }) }]);
      expect(await store.get(actionId())).toMatchObject({ blocked: false });
    });

    test('lists what people are asked, newest first, page by page, for whom it concerns', async () => {
      const asked = (n: number, role: string) =>
        needed({
          action: n,
          demands: [{ scope: null, rule: null, approvers: [{ kind: 'role', role }], quorum: 1 }],
        });
      await apply(store, inOrder(...[1, 2, 3, 4].map((n) => asked(n, n % 2 ? 'odd' : 'even'))));
      const first = await store.list({ status: 'pending', audience: null, limit: 3 });
      expect(idsOf(first.records)).toEqual([4, 3, 2].map(actionId));
      // What arrives meanwhile does not move the next page.
      await apply(store, [{ seq: 50, event: asked(5, 'odd') }]);
      const second = await store.list({
        status: 'pending',
        audience: null,
        limit: 3,
        before: first.before ?? 0,
      });
      expect(idsOf(second.records)).toEqual([actionId(1)]);
      expect(second.before).toBeNull();
      const odd = await store.list({
        status: 'all',
        audience: ['role:odd', 'user:x@example.com'],
        limit: 10,
      });
      expect(idsOf(odd.records)).toEqual([5, 3, 1].map(actionId));
      expect((await store.list({ status: 'all', audience: [], limit: 10 })).records).toEqual([]);
      await apply(store, [{ seq: 60, event: requested({ action: 6 }) }]);
      expect(await store.countOpen()).toEqual({ held: 5, undecided: 6 });
    });

    test('names what is due: passed deadlines, and requests that nobody judged', async () => {
      await apply(
        store,
        inOrder(
          needed({ action: 1, deadline: at(60) }),
          needed({ action: 2, deadline: at(120) }),
          requested({ action: 3, now: at(0) }),
          requested({ action: 4, now: at(50) }),
        ),
      );
      expect(idsOf(await store.due(at(60), at(10), 10))).toEqual([actionId(1), actionId(3)]);
      expect(await store.due(at(59), far.getTime() ? new Date(far.getTime() - 1) : far, 10)).toEqual([]);
      await apply(store, [{ seq: 20, event: decided({ action: 1 }) }]);
      expect(idsOf(await store.due(at(60), at(10), 10))).toEqual([actionId(3)]);
    });

    describe('what is owed', () => {
      const owedBy = async (until: Date) => await store.owed(until, 10);
      const owed = (action: number, seq: number) => ({ actionId: actionId(action), agent: 'support', seq });

      test('is a look at each vote, once a little time has passed', async () => {
        await apply(store, inOrder(requested(), needed(), voted({ now: at(2) })));
        expect(await owedBy(at(2))).toEqual([]);
        expect(await owedBy(at(3))).toEqual([owed(1, 3)]);
        await store.settle(owed(1, 3));
        expect(await owedBy(at(9999))).toEqual([]);
        await apply(store, [{ seq: 4, event: voted({ by: 'bob', now: at(4) }) }]);
        expect(await owedBy(at(5))).toEqual([owed(1, 4)]);
      });

      test('is not settled by what was done before a later vote', async () => {
        await apply(store, inOrder(requested(), needed(), voted(), voted({ by: 'bob' })));
        await store.settle(owed(1, 3));
        expect(await owedBy(at(9999))).toEqual([owed(1, 4)]);
      });

      test('is the closing of a held action that was decided, until it was told', async () => {
        await apply(store, inOrder(requested(), needed(), voted(), decided({ now: at(3) })));
        expect(await owedBy(at(4))).toEqual([owed(1, 4)]);
        await apply(store, [{ seq: 5, event: closed() }]);
        expect(await owedBy(at(9999))).toEqual([]);
        await apply(store, inOrder(requested(), needed(), voted(), decided()));
        expect(await owedBy(at(9999))).toEqual([]);
      });

      test('is nothing for what the policy decided alone', async () => {
        const automatic = decided();
        await apply(store, [
          { seq: 1, event: requested() },
          { seq: 2, event: { ...automatic, data: { ...automatic.data, held: false } } },
        ]);
        expect(await owedBy(at(9999))).toEqual([]);
      });

      test('is the denial of an action whose history holds a forged message', async () => {
        await apply(store, [...inOrder(requested(), needed()), forged(3, 1, false), forged(4, 2, true)]);
        expect(await owedBy(at(9999))).toEqual([owed(1, 3), owed(2, 4)]);
        expect(await store.get(actionId(1))).toMatchObject({ blocked: false });
        expect(await store.get(actionId(2))).toMatchObject({ blocked: true, events: [] });
        expect(await store.countOpen()).toEqual({ held: 1, undecided: 1 });
      });

      test('ends with a later request under the same id', async () => {
        await apply(store, inOrder(requested(), needed(), voted(), decided()));
        await apply(store, [{ seq: 10, event: requested({ now: at(100) }) }]);
        expect(await owedBy(at(9999))).toEqual([]);
      });

      test('comes oldest first, and no more than was asked for', async () => {
        const votes = [3, 1, 2].map((n) => voted({ action: n, now: at(n) }));
        await apply(store, inOrder(...votes));
        expect(idsOf(await store.owed(at(9999), 2))).toEqual([actionId(1), actionId(2)]);
      });
    });

    describe('the position', () => {
      test('is stored with what was read, and never goes back on the same stream', async () => {
        expect(await store.position()).toBeNull();
        await store.apply([{ seq: 7, event: requested() }], { stream, seq: 9 });
        expect(await store.position()).toEqual({ stream, seq: 9 });
        await store.apply([{ seq: 3, event: requested({ action: 2 }) }], { stream, seq: 4 });
        expect(await store.position()).toEqual({ stream, seq: 9 });
        expect(await store.get(actionId(2))).not.toBeNull();
      });

      test('begins anew on another stream', async () => {
        await store.apply([], { stream, seq: 9 });
        await store.apply([], { stream: 'another', seq: 2 });
        expect(await store.position()).toEqual({ stream: 'another', seq: 2 });
      });

      test('goes on when there was nothing to be stored', async () => {
        await store.apply([], { stream, seq: 12 });
        expect(await (await opened.reopen()).position()).toEqual({ stream, seq: 12 });
      });
    });

    test('whoever leads goes on leading', async () => {
      expect(await store.lead('one', at(0), 4000)).toBe(true);
      expect(await store.lead('one', at(2), 4000)).toBe(true);
    });

    test('keeps payloads as they are, and everything over a reopening', async () => {
      const event = requested();
      const payload = { 'a.b': { $set: 1 }, emoji: '🦜', list: [1, [2]], empty: {} };
      await apply(store, [{ seq: 1, event: { ...event, data: { ...event.data, payload } } }]);
      const again = await opened.reopen();
      expect((await again.get(actionId()))?.events[0]?.event.data).toMatchObject({ payload });
    });
  });
}
