import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ForgedMessage, OutcomeStore, StoredEvent } from '../store.ts';
import {
  apply,
  deliver,
  deliveriesOf,
  forged,
  heldFor,
  idsOf,
  inOrder,
  seenIn,
  someMessages,
  stream,
} from './deliveries.ts';
import { dueContract } from './due-contract.ts';
import {
  actionId,
  at,
  closed,
  commented,
  decided,
  executed,
  logged,
  needed,
  requested,
  voted,
} from './events.ts';
import { listsContract } from './lists-contract.ts';
import { type OpenedStore, type OpenStore, openForEach } from './opened.ts';

const typesOf = (events: StoredEvent[] = []) => events.map(({ event }) => event.type);
const far = at(0);

/** What every store of outcomes does. `numRuns`: how many orders of delivery are tried. */
export function storeContract(name: string, open: OpenStore, { numRuns }: { numRuns: number }) {
  describe(`the store of outcomes on ${name}`, () => {
    let opened: OpenedStore;
    let store: OutcomeStore;
    openForEach(open, (one) => {
      opened = one;
      store = one.store;
    });

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
        { numRuns },
      );
    });

    test('what comes to an action in a stream makes the same store in whatever order it is read', async () => {
      const cases = someMessages.chain((messages) => fc.tuple(fc.constant(messages), deliveriesOf(messages)));
      await fc.assert(
        fc.asyncProperty(cases, async ([messages, deliveries]) => {
          const [one, other] = [await open(), await open()];
          try {
            for (const message of messages) await apply(one.store, [message]);
            await deliver(other.store, deliveries);
            expect(await seenIn(other.store)).toEqual(await seenIn(one.store));
          } finally {
            await Promise.all([one.drop(), other.drop()]);
          }
        }),
        { numRuns },
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

    test('what somebody puts under another agent is not of this action, before its request or after', async () => {
      const ofAnother = (seq: number, isDecision: boolean): ForgedMessage => {
        return { seq, forged: { actionId: actionId(), agent: 'another', isDecision }, at: at(5) };
      };
      await apply(store, [ofAnother(1, true), { seq: 2, event: requested() }]);
      await apply(store, [{ seq: 3, event: needed({ deadline: at(60) }) }, ofAnother(4, false)]);
      await store.block({ actionId: actionId(), agent: 'another', seq: 5 });
      const record = await store.get(actionId());
      expect(record).toMatchObject({ agent: 'support', blocked: false });
      expect(typesOf(record?.events)).toEqual(['action.requested', 'approval.needed']);
      expect(await store.due(at(60), at(0), 10)).toEqual([{ actionId: actionId(), agent: 'support' }]);
      expect(idsOf((await store.list({ status: 'pending', audience: null, limit: 10 })).records)).toEqual([
        actionId(),
      ]);
      const owed = { actionId: actionId(), agent: 'another', seq: 4 };
      expect(await store.owed(at(9999), 10)).toEqual([owed]);
      await apply(store, [{ seq: 6, event: voted({ now: at(6) }) }]);
      await store.settle({ ...owed, seq: 9 });
      expect(await store.owed(at(9999), 10)).toEqual([{ ...owed, agent: 'support', seq: 6 }]);
    });

    test('a stream that was made anew has the same sequences, for other actions and other people', async () => {
      const listed = async (role: string) =>
        idsOf((await store.list({ status: 'all', audience: [`role:${role}`], limit: 10 })).records);
      await store.apply(inOrder(...heldFor({ action: 1 }, 'odd')), { stream, seq: 2 });
      await store.apply(inOrder(...heldFor({ action: 2 }, 'even')), { stream: 'another', seq: 2 });
      expect(await listed('odd')).toEqual([actionId(1)]);
      expect(await listed('even')).toEqual([actionId(2)]);
      const all = await store.list({ status: 'all', audience: null, limit: 10 });
      expect(idsOf(all.records).sort()).toEqual([actionId(1), actionId(2)]);
    });

    test('of a decision and what took its place the later one holds, in whatever order they are read', async () => {
      const told = [forged(3, 1, true), { seq: 4, event: decided() }];
      const reversed = [forged(3, 2, true), { seq: 4, event: decided({ action: 2 }) }].reverse();
      for (const message of [...told, ...reversed]) await apply(store, [message]);
      expect(await store.get(actionId(1))).toMatchObject({ blocked: false });
      expect(await store.get(actionId(2))).toMatchObject({ blocked: false });
      await store.block({ actionId: actionId(1), agent: 'support', seq: 3 });
      await store.block({ actionId: actionId(2), agent: 'support', seq: 4 });
      expect(await store.get(actionId(1))).toMatchObject({ blocked: false });
      expect(await store.get(actionId(2))).toMatchObject({ blocked: true });
    });

    test('keeps what people see beside the decision', async () => {
      await apply(store, inOrder(requested(), needed(), commented(), decided(), executed()));
      expect(typesOf((await store.get(actionId()))?.events)).toEqual([
        'action.requested',
        'approval.needed',
        'approval.commented',
        'action.decided',
        'action.executed',
      ]);
    });

    test('knows an action that was never requested by what is told of it', async () => {
      const log = { seq: 4, event: logged({ action: 1, agent: 'another', case: 'a case' }) };
      const comment = { seq: 5, event: commented({ action: 2 }) };
      const ofNoCase = { seq: 3, event: logged({ action: 3 }) };
      await apply(store, [ofNoCase, log, comment]);
      expect(await store.get(actionId(3))).toBeNull();
      const told = { agent: 'another', blocked: false, events: [log] };
      expect(await store.get(actionId(1))).toEqual({ actionId: actionId(1), ...told });
      expect(await store.get(actionId(2))).toMatchObject({ agent: 'support', events: [comment] });
      // What somebody puts under an agent who comes first is not taken for it.
      await apply(
        store,
        [forged(6, 1, true)].map(({ forged: of, ...at }) => ({ forged: { ...of, agent: 'a' }, ...at })),
      );
      expect(await store.get(actionId(1))).toMatchObject(told);
      expect(await store.countOpen()).toEqual({ held: 0, undecided: 0 });
    });

    listsContract(open);
    dueContract(open);

    describe('the position', () => {
      test('is stored with what was read, and never goes back', async () => {
        expect(await store.position()).toBeNull();
        await store.apply([{ seq: 7, event: requested() }], { stream, seq: 9 });
        expect(await store.position()).toEqual({ stream, seq: 9 });
        await store.apply([{ seq: 3, event: requested({ action: 2 }) }], { stream, seq: 4 });
        expect(await store.position()).toEqual({ stream, seq: 9 });
        expect(await store.get(actionId(2))).not.toBeNull();
      });

      test('counts on over another stream, and nobody who still reads the one before puts it back', async () => {
        await store.apply([], { stream, seq: 9 });
        await store.apply([], { stream: 'another', seq: 100 });
        await store.apply([], { stream, seq: 10 });
        expect(await store.position()).toEqual({ stream: 'another', seq: 100 });
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
