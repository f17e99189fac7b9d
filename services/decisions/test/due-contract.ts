import { describe, expect, test } from 'vitest';
import type { OutcomeStore } from '../store.ts';
import { apply, forged, idsOf, inOrder } from './deliveries.ts';
import {
  actionId,
  at,
  closed,
  decided,
  edited,
  escalated,
  needed,
  reassigned,
  reminded,
  requested,
  voted,
} from './events.ts';
import { type OpenStore, openForEach } from './opened.ts';

const far = at(0);

/** What the clock has to look at, and what somebody still has to do. */
export function dueContract(open: OpenStore) {
  let store: OutcomeStore;
  openForEach(open, (opened) => {
    store = opened.store;
  });

  test('names no more of what is due than was asked for, of each kind, the longest overdue first', async () => {
    const late = [3, 1, 2].map((n) => needed({ action: n, deadline: at(n) }));
    const unjudged = [6, 4, 5].map((n) => requested({ action: n, now: at(n) }));
    await apply(store, inOrder(...late, ...unjudged));
    expect(idsOf(await store.due(at(99), at(99), 2))).toEqual([1, 2, 4, 5].map(actionId));
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

  test('names what is due when its next step is, and later what the last step said', async () => {
    const steps = [{ kind: 'remind' as const, at: at(30).toISOString(), share: 0.5 }];
    const dueAt = async (seconds: number) => idsOf(await store.due(at(seconds), far, 10));
    await apply(store, inOrder(requested({ now: at(1) }), needed({ deadline: at(60), steps })));
    expect(await dueAt(29)).toEqual([]);
    expect(await dueAt(30)).toEqual([actionId()]);
    await apply(store, [{ seq: 3, event: reminded({ due: at(60) }) }]);
    expect(await dueAt(59)).toEqual([]);
    expect(await dueAt(60)).toEqual([actionId()]);
    await apply(store, [{ seq: 5, event: reassigned({ due: at(90) }) }]);
    // What comes late is not the last.
    await apply(store, [{ seq: 4, event: escalated({ due: at(40) }) }]);
    expect(await dueAt(89)).toEqual([]);
    await apply(store, [{ seq: 6, event: edited({ due: at(45) }) }]);
    expect(await dueAt(45)).toEqual([actionId()]);
    await apply(store, [{ seq: 7, event: needed({ revision: 2, deadline: at(80) }) }]);
    expect(await dueAt(79)).toEqual([]);
    expect(await dueAt(80)).toEqual([actionId()]);
    await apply(store, [{ seq: 8, event: requested({ now: at(99) }) }]);
    expect(await dueAt(9999)).toEqual([]);
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
}
