import type { PlacetEvent } from '@placet/events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OutcomeStore, StoredEvent } from '../store.ts';
import { actionId, at, decided, needed, requested, voted } from './events.ts';

const inOrder = (...events: PlacetEvent[]): StoredEvent[] =>
  events.map((event, i) => ({ seq: i + 1, event }));
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
      await store.apply(inOrder(requested(), needed(), voted(), decided()));
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
      );
      const seen = async (from: OutcomeStore) => ({
        records: await Promise.all([1, 2, 3].map((n) => from.get(actionId(n)))),
        pending: idsOf((await from.list({ status: 'pending', audience: null, limit: 10 })).records),
        decided: idsOf((await from.list({ status: 'decided', audience: null, limit: 10 })).records),
        due: await from.due(at(9999), at(9999), 10),
      });
      await store.apply(events);
      const expected = await seen(store);
      expect(expected).toMatchObject({ pending: [actionId(2)], decided: [actionId(1)] });
      const shuffled = fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 });
      await fc.assert(
        fc.asyncProperty(shuffled, async (deliveries) => {
          const other = await open();
          try {
            for (const delivery of deliveries) await other.store.apply([delivery]);
            expect(await seen(other.store)).toEqual(expected);
          } finally {
            await other.drop();
          }
        }),
        { numRuns: 25 },
      );
    });

    test('a later request under the same id is another action', async () => {
      await store.apply(inOrder(requested(), needed(), decided({ decision: 'allowed' })));
      await store.apply([{ seq: 10, event: requested({ now: at(100) }) }]);
      expect(typesOf((await store.get(actionId()))?.events)).toEqual(['action.requested']);
      expect(await store.due(far, at(200), 10)).toEqual([{ actionId: actionId(), agent: 'support' }]);
    });

    test('an action whose decision is blocked is over: not due, and not pending', async () => {
      await store.apply(inOrder(requested(), needed({ deadline: at(60) })));
      await store.block({ actionId: actionId(), agent: 'support', seq: 3 });
      await store.block({ actionId: actionId(), agent: 'support', seq: 3 });
      expect(await store.due(at(9999), at(9999), 10)).toEqual([]);
      expect((await store.list({ status: 'pending', audience: null, limit: 10 })).records).toEqual([]);
      expect(await store.get(actionId())).toMatchObject({ blocked: true });
      await store.apply([{ seq: 10, event: requested({ now: at(100) }) }]);
      expect(await store.get(actionId())).toMatchObject({ blocked: false });
    });

    test('lists what people are asked, newest first, page by page, for whom it concerns', async () => {
      const asked = (n: number, role: string) =>
        needed({
          action: n,
          demands: [{ scope: null, rule: null, approvers: [{ kind: 'role', role }], quorum: 1 }],
        });
      await store.apply(inOrder(...[1, 2, 3, 4].map((n) => asked(n, n % 2 ? 'odd' : 'even'))));
      const first = await store.list({ status: 'pending', audience: null, limit: 3 });
      expect(idsOf(first.records)).toEqual([4, 3, 2].map(actionId));
      // What arrives meanwhile does not move the next page.
      await store.apply([{ seq: 50, event: asked(5, 'odd') }]);
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
      await store.apply([{ seq: 60, event: requested({ action: 6 }) }]);
      expect(await store.countOpen()).toEqual({ held: 5, undecided: 6 });
    });

    test('names what is due: passed deadlines, and requests that nobody judged', async () => {
      await store.apply(
        inOrder(
          needed({ action: 1, deadline: at(60) }),
          needed({ action: 2, deadline: at(120) }),
          requested({ action: 3, now: at(0) }),
          requested({ action: 4, now: at(50) }),
        ),
      );
      expect(idsOf(await store.due(at(60), at(10), 10))).toEqual([actionId(1), actionId(3)]);
      expect(await store.due(at(59), far.getTime() ? new Date(far.getTime() - 1) : far, 10)).toEqual([]);
      await store.apply([{ seq: 20, event: decided({ action: 1 }) }]);
      expect(idsOf(await store.due(at(60), at(10), 10))).toEqual([actionId(3)]);
    });

    test('keeps payloads as they are, and everything over a reopening', async () => {
      const event = requested();
      const payload = { 'a.b': { $set: 1 }, emoji: '🦜', list: [1, [2]], empty: {} };
      await store.apply([{ seq: 1, event: { ...event, data: { ...event.data, payload } } }]);
      expect(await store.fedBy()).toBeNull();
      await store.setFedBy('a consumer');
      const again = await opened.reopen();
      expect((await again.get(actionId()))?.events[0]?.event.data).toMatchObject({ payload });
      expect(await again.fedBy()).toBe('a consumer');
    });
  });
}
