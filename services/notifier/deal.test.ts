import { expect, test } from 'vitest';
import { deal, type Late } from './deal.ts';
import type { Slot } from './ledger.ts';
import type { Step } from './plan.ts';
import { toldOf } from './test/told-of.ts';

const place = { name: 'the mail server', everyMs: 50 };
const told = toldOf();

/** Of so many turns. */
async function dealt(steps: Step[], { turns = 0, late }: { turns?: number; late?: Late } = {}) {
  let left = turns;
  const hand = {
    async take(_: unknown, wanted: number) {
      const count = Math.min(left, wanted);
      left -= count;
      return count;
    },
    used: () => turns - left,
    undo() {},
    async close() {},
  };
  const { due, left: later } = await deal(steps, told, { channel: { placeOf: () => place }, hand, late });
  return { due: due.map(({ what, target }) => `${what} ${target}`), later };
}

const slot = (fields: Partial<Slot> = {}): Slot => ({ status: 'shown', attempts: 0, at: 0, ...fields });
const step = (what: Step['what'], target: string, of?: Slot): Step => ({ what, target, slot: of, waitMs: 0 });

test('who is asked is told in turns, and before who is told more', async () => {
  const more = step('update', 'a', slot({ waits: told.version }));
  const steps = [more, step('send', 'b'), step('send', 'c'), { ...step('send', 'd'), waitMs: 5 }];
  expect(await dealt(steps, { turns: 1 })).toEqual({
    due: ['send b'],
    later: { a: more.slot, c: { status: 'waiting', attempts: 0, at: expect.any(Number) } },
  });
  expect((await dealt(steps, { turns: 3 })).due).toEqual(['send b', 'send c', 'update a']);
});

test('what is new is shown without a turn, some at a time', async () => {
  const older = slot({ waits: told.version - 1 });
  const steps = Array.from({ length: 30 }, (_, n) => step('update', `p${n}`, older));
  const { due, later } = await dealt(steps);
  expect(due).toHaveLength(20);
  expect(Object.entries(later)).toHaveLength(10);
  expect(later['p29']).toEqual({ ...older, until: expect.any(Number) });
});

test('of those who are told too late the last are given up, and nobody who is told more', async () => {
  const more = step('update', 'a', slot({ waits: told.version }));
  const steps = [step('send', 'b'), step('send', 'c'), more];
  expect(await dealt(steps, { late: { place, count: 1 } })).toMatchObject({
    due: ['giveUp c'],
    later: { b: { status: 'waiting' }, a: { status: 'shown' } },
  });
});
