import { describe, expect, test } from 'vitest';
import type { ListQuery, OutcomeStore, Selection } from '../store.ts';
import { apply, askedOf, heldFor, idsOf, inOrder } from './deliveries.ts';
import {
  actionId,
  at,
  decided,
  edited,
  escalated,
  logged,
  needed,
  reassigned,
  reminded,
  requested,
} from './events.ts';
import { type OpenStore, openForEach } from './opened.ts';

const everything: Selection = { status: 'all', audience: null };

/** The lists of what was held, how many there are, and the actions of a case. */
export function listsContract(open: OpenStore) {
  let store: OutcomeStore;
  openForEach(open, (opened) => {
    store = opened.store;
  });

  const listed = async (selection: Selection) =>
    idsOf((await store.list({ ...selection, limit: 10 })).records);
  const forRole = (role: string) => listed({ status: 'all', audience: [`role:${role}`] });

  async function pagesOf(query: ListQuery): Promise<string[][]> {
    const found: string[][] = [];
    for (let before: number | null | undefined; before !== null && found.length < 9; ) {
      const page = await store.list(before ? { ...query, before } : query);
      found.push(idsOf(page.records));
      before = page.before;
    }
    return found;
  }

  test('lists what people are asked, newest request first, page by page, for whom it concerns', async () => {
    await apply(
      store,
      inOrder(...[1, 2, 3, 4].flatMap((n) => heldFor({ action: n }, n % 2 ? 'odd' : 'even'))),
    );
    const first = await store.list({ status: 'pending', audience: null, limit: 3 });
    expect(idsOf(first.records)).toEqual([4, 3, 2].map(actionId));
    // What arrives meanwhile does not move the next page, nor what becomes of those that are listed.
    await apply(store, [
      { seq: 50, event: requested({ action: 5 }) },
      { seq: 51, event: askedOf(5, 'odd') },
      { seq: 52, event: reminded({ action: 1 }) },
      { seq: 53, event: needed({ action: 2, revision: 2 }) },
    ]);
    const next = { status: 'pending', audience: null, limit: 3, before: first.before ?? 0 } as const;
    const second = await store.list(next);
    expect(idsOf(second.records)).toEqual([actionId(1)]);
    expect(second.before).toBeNull();
    const odd = ['role:odd', 'user:x@example.com'];
    expect(await listed({ status: 'all', audience: odd })).toEqual([5, 3].map(actionId));
    expect(await listed({ status: 'all', audience: [] })).toEqual([]);
    await apply(store, [{ seq: 60, event: requested({ action: 6 }) }]);
    expect(await store.countOpen()).toEqual({ held: 5, undecided: 6 });
  });

  test('lists page by page for whom it concerns, each action once, whatever became of it', async () => {
    const roles = (n: number) => (n === 2 ? ['none'] : ['odd', 'even']);
    const held = [1, 2, 3, 4, 5].flatMap((n) => heldFor({ action: n }, ...roles(n)));
    await apply(store, [...inOrder(...held), { seq: 20, event: decided({ action: 4 }) }]);
    const pages = (status: Selection['status']) =>
      pagesOf({ status, audience: ['role:even', 'role:odd', 'role:even'], limit: 2 });
    expect(await pages('all')).toEqual([
      [actionId(5), actionId(4)],
      [actionId(3), actionId(1)],
    ]);
    expect(await pages('pending')).toEqual([[actionId(5), actionId(3)], [actionId(1)]]);
    expect(await pages('decided')).toEqual([[actionId(4)]]);
  });

  test('lists in the order of the requests, whenever people were asked; without a request not at all', async () => {
    const asked = [2, 3, 1].map((n) => askedOf(n, 'odd'));
    await apply(store, inOrder(requested({ action: 1 }), requested({ action: 2 }), ...asked));
    expect(await forRole('odd')).toEqual([2, 1].map(actionId));
    expect(await store.count(everything, 10)).toEqual({ count: 2, oldest: at(0) });
    await apply(store, [{ seq: 9, event: requested({ action: 1 }) }]);
    expect(await listed(everything)).toEqual([actionId(2)]);
  });

  test('lists for whom it concerns now', async () => {
    await apply(store, inOrder(...heldFor({ action: 1 }, 'first')));
    const changes = [
      [reminded({ audience: ['role:first'] }), ['first']],
      [escalated({ audience: ['role:first', 'role:second', 'role:first'] }), ['first', 'second']],
      [reassigned({ audience: ['role:third', 'role:second'] }), ['second', 'third']],
      [edited({ audience: ['role:third'] }), ['third']],
      [askedOf(1, 'fourth'), ['fourth']],
      [decided(), ['fourth']],
    ] as const;
    for (const [index, [event, roles]] of changes.entries()) {
      await apply(store, [{ seq: index + 3, event }]);
      const found = ['first', 'second', 'third', 'fourth'].map(async (role) =>
        (await forRole(role)).length > 0 ? [role] : [],
      );
      expect((await Promise.all(found)).flat(), event.type).toEqual(roles);
    }
    expect(await listed({ status: 'decided', audience: ['role:fourth'] })).toEqual([actionId()]);
    expect(await listed({ status: 'pending', audience: ['role:fourth'] })).toEqual([]);
  });

  test('lists and counts those of an agent, and those that were requested until then', async () => {
    const agentOf = (n: number) => (n % 2 ? 'odd' : 'even');
    const held = [1, 2, 3, 4, 5, 6].flatMap((n) =>
      heldFor({ action: n, agent: agentOf(n), now: at(n * 100) }, 'one', n > 3 ? 'two' : 'three'),
    );
    await apply(store, [
      ...inOrder(...held),
      { seq: 20, event: decided({ action: 3, agent: 'odd' }) },
      { seq: 21, event: decided({ action: 4, agent: 'even' }) },
    ]);
    const cases: [Selection, number[]][] = [
      [{ ...everything, agent: 'odd' }, [5, 3, 1]],
      [{ ...everything, agent: 'nobody' }, []],
      [{ status: 'pending', audience: ['role:one'], agent: 'even' }, [6, 2]],
      [{ status: 'decided', audience: ['role:one', 'role:two'], agent: 'even' }, [4]],
      [{ ...everything, until: at(300) }, [3, 2, 1]],
      [{ ...everything, until: at(299) }, [2, 1]],
      [{ ...everything, until: at(99) }, []],
      [{ ...everything, until: at(9999) }, [6, 5, 4, 3, 2, 1]],
      [{ status: 'pending', audience: ['role:two', 'role:three'], until: at(500) }, [5, 2, 1]],
      [{ status: 'all', audience: ['role:two', 'role:three'], agent: 'odd', until: at(400) }, [3, 1]],
    ];
    for (const [selection, actions] of cases) {
      const text = JSON.stringify(selection);
      const oldest = actions.at(-1);
      expect(await listed(selection), text).toEqual(actions.map(actionId));
      expect((await pagesOf({ ...selection, limit: 1 })).flat(), text).toEqual(actions.map(actionId));
      expect(await store.count(selection, 100), text).toEqual({
        count: actions.length,
        oldest: oldest === undefined ? null : at(oldest * 100),
      });
    }
  });

  test('knows what was requested until then where clocks differ', async () => {
    const times = [50, 10, 90, 30, 70];
    const held = times.flatMap((time, index) => heldFor({ action: index + 1, now: at(time) }, 'one'));
    await apply(store, inOrder(...held));
    expect(await listed({ ...everything, until: at(50) })).toEqual([4, 2, 1].map(actionId));
  });

  test('counts up to what is asked for, each action once, and knows the oldest', async () => {
    const held = [1, 2, 3, 4].flatMap((n) => heldFor({ action: n, now: at(n) }, 'one', 'two'));
    await apply(store, inOrder(...held));
    const both = ['role:one', 'role:two', 'role:three'];
    expect(await store.count({ status: 'pending', audience: both }, 10)).toEqual({ count: 4, oldest: at(1) });
    expect(await store.count({ status: 'all', audience: both }, 3)).toEqual({ count: 3, oldest: at(1) });
    expect(await store.count({ status: 'pending', audience: [] }, 3)).toEqual({ count: 0, oldest: null });
    expect(await store.count({ status: 'decided', audience: null }, 3)).toEqual({ count: 0, oldest: null });
    await store.block({ actionId: actionId(1), agent: 'support', seq: 50 });
    expect(await store.count({ status: 'pending', audience: both }, 10)).toEqual({ count: 3, oldest: at(2) });
    expect(await store.count({ status: 'decided', audience: null }, 10)).toEqual({ count: 1, oldest: at(1) });
  });

  test('lists for as many keys as can be asked for', async () => {
    await apply(store, inOrder(...heldFor({ action: 1 }, 'role-7', 'role-150')));
    const audience = Array.from({ length: 200 }, (_, n) => `role:role-${n}`);
    expect(await listed({ status: 'all', audience })).toEqual([actionId(1)]);
    expect(await store.count({ status: 'all', audience }, 10)).toEqual({ count: 1, oldest: at(0) });
  });

  describe('the actions of a case', () => {
    const inCase = async (name: string, after?: number) => {
      const { records, after: next } = await store.ofCase(name, { after, limit: 2 });
      return [...idsOf(records), next];
    };

    test('are those that were requested and those that were logged, oldest first, page by page', async () => {
      await apply(
        store,
        inOrder(
          logged({ action: 1, case: 'one' }),
          requested({ action: 2, case: 'one' }),
          requested({ action: 3, case: '$another' }),
          requested({ action: 4 }),
          logged({ action: 5 }),
          decided({ action: 2, held: false, case: 'one' }),
          requested({ action: 6, case: 'one' }),
          logged({ action: 1, case: 'one' }),
        ),
      );
      expect(await inCase('one')).toEqual([actionId(1), actionId(2), 2]);
      expect(await inCase('one', 2)).toEqual([actionId(6), null]);
      expect(await inCase('$another')).toEqual([actionId(3), null]);
      expect(idsOf(await store.lastOfCase('one', 2))).toEqual([actionId(6), actionId(2)]);
      expect(await inCase('none')).toEqual([null]);
      expect(await store.lastHeldOfCase('one', 2)).toEqual([]);
      const { records } = await store.ofCase('one', { limit: 1 });
      expect(records[0]?.events.map(({ seq }) => seq)).toEqual([1, 8]);
    });

    test('that people were asked about are found among very many others', async () => {
      await apply(
        store,
        inOrder(
          requested({ action: 1, case: 'one' }),
          needed({ action: 1 }),
          requested({ action: 2, case: 'one' }),
          requested({ action: 3, case: 'one' }),
          needed({ action: 3 }),
          decided({ action: 3, case: 'one' }),
          requested({ action: 4, case: 'two' }),
          needed({ action: 4 }),
          ...Array.from({ length: 30 }, (_, n) => logged({ action: 10 + n, case: 'one' })),
        ),
      );
      expect(idsOf(await store.lastHeldOfCase('one', 5))).toEqual([actionId(3), actionId(1)]);
      expect(idsOf(await store.lastHeldOfCase('one', 1))).toEqual([actionId(3)]);
    });

    test('are of the case that the last request names, if any', async () => {
      await apply(store, inOrder(logged({ case: 'log' }), requested({ case: 'one' })));
      expect(await inCase('log')).toEqual([null]);
      expect(await inCase('one')).toEqual([actionId(), null]);
      await apply(store, [{ seq: 7, event: requested({ case: 'two' }) }]);
      expect(await inCase('one')).toEqual([null]);
      expect(await inCase('two')).toEqual([actionId(), null]);
      await apply(store, [{ seq: 9, event: requested() }]);
      expect(await inCase('two')).toEqual([null]);
    });
  });
}
