import { expect, test } from 'vitest';
import type { Slot } from './ledger.ts';
import { planOf } from './plan.ts';
import { endedOf, toldOf } from './test/told-of.ts';
import type { Told } from './told.ts';

const needed = { deadline: new Date(100_000).toISOString() };
const told = toldOf({ needed });
const ended = endedOf(told);
const slot = (fields: Partial<Slot>): Slot => ({ status: 'waiting', attempts: 0, at: 0, ...fields });
const stood = { status: 'shown', handle: 'h', version: told.version } as const;

function planned(one: Slot | undefined, of: Told, { wanted = ['#x'], now = 0 } = {}) {
  const [step] = planOf(one ? { '#x': one } : {}, of, { wanted, now });
  return step ? [step.what, step.waitMs] : null;
}

test.each<[string, Slot | undefined, Told, ReturnType<typeof planned>]>([
  ['what is wanted there is sent', undefined, told, ['send', 0]],
  ['what is tried again waits for that', slot({ until: 500 }), told, ['send', 500]],
  ['what would be tried after the deadline is given up now', slot({ until: 100_000 }), told, ['giveUp', 0]],
  ['what may have been sent is looked for', slot({ status: 'sending', until: 500 }), told, ['find', 500]],
  ['what was told as failed is left alone', slot({ status: 'sending', refused: 1 }), told, null],
  ['and looked for after the end', slot({ status: 'sending', refused: 1 }), ended, ['find', 0]],
  ['what shows all that there is stays', slot(stood), told, null],
  ['what shows less is brought up to date', slot(stood), ended, ['update', 0]],
  ['what was refused is not tried at once', slot({ ...stood, version: 1, refused: 2 }), told, null],
  ['and is with the next event', slot({ ...stood, refused: 2 }), ended, ['update', 0]],
  [
    'how it ended is tried on after it was refused',
    slot({ ...stood, refused: 3, until: 900 }),
    ended,
    ['update', 900],
  ],
  ['but not for ever', slot({ ...stood, refused: 3 }), ended, null],
  ['what could not be sent stays so', slot({ status: 'failed' }), ended, null],
])('%s', (_, one, of, step) => {
  expect(planned(one, of)).toEqual(step);
});

test('where nobody is asked any more, nothing is sent', () => {
  expect(planned(undefined, told, { wanted: [] })).toBe(null);
  expect(planned(slot({ until: 500 }), told, { wanted: [] })).toBe(null);
});
