import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wrongsIn } from './test/life-judge.ts';
import { type Attempt, people, play, roles, type World } from './test/life-world.ts';

const who = fc.constantFrom(...people);
const as = fc.oneof(fc.constant([...roles]), fc.subarray([...roles], { minLength: 0 }));
const seen = fc.constantFrom<('now' | 'before' | 'nothing')[]>(
  'now',
  'now',
  'now',
  'now',
  'before',
  'nothing',
);
const to = fc.uniqueArray(who, { minLength: 1, maxLength: 2 });
const isStale = fc.nat({ max: 9 }).map((n) => n === 0);
const amount = fc.constantFrom(-5, 40, 90, 300, 800, 3000);
const vote = fc.constantFrom<('approve' | 'reject')[]>('approve', 'approve', 'approve', 'reject');
const attempts: fc.Arbitrary<Attempt[]> = fc.array(
  fc
    .oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant('vote' as const), who, as, vote, seen }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), who, as, amount, isStale }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('hand' as const), who, as, to }) },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 60_000 }) }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('judge' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const) }) },
    )
    .chain((attempt) => fc.nat({ max: 5 }).map((n): Attempt => ({ ...attempt, isCutOff: n === 0 }))),
  { minLength: 1, maxLength: 40 },
);
const held = fc.constantFrom(90, 300, 800, 3000);
const lives = fc.tuple(held, attempts).map(([first, tried]) => play(first, tried));

describe('any order, repetition and interleaving of votes, edits, deadlines, withdrawals and replays', () => {
  test('leaves one decision at most, by different people who might, of the payload that is allowed', () => {
    fc.assert(
      fc.property(lives, (world) => {
        expect(wrongsIn(world)).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  test('ends in time, whatever was left half done', () => {
    fc.assert(
      fc.property(held, attempts, (first, tried) => {
        const { events } = play(first, [
          ...tried,
          { do: 'wait', ms: 200_000, isCutOff: false },
          { do: 'look', isCutOff: false },
        ]);
        expect(events.at(-1)?.type).toBe('action.decided');
      }),
      { numRuns: 500 },
    );
  });
});

/** Properties of what never happens say nothing: all of it has to occur. */
test('these lives are full: each kind of event, and each kind of end', () => {
  const worlds: World[] = fc.sample(lives, { numRuns: 4000, seed: 7 });
  const all = worlds.flatMap(({ events }) => events);
  for (const type of [
    'approval.voted',
    'approval.edited',
    'approval.reminded',
    'approval.escalated',
    'approval.reassigned',
  ]) {
    expect(all.filter((event) => event.type === type).length).toBeGreaterThan(20);
  }
  const decided = all.filter((event) => event.type === 'action.decided').map(({ data }) => data);
  const ends = Map.groupBy(decided, ({ decision, cause }) => `${decision} ${cause}`);
  for (const end of [
    'allowed votes',
    'denied votes',
    'denied timeout',
    'denied withdrawn',
    'denied policy',
  ]) {
    expect({ end, count: ends.get(end)?.length ?? 0 }).toMatchObject({
      count: expect.toSatisfy((n) => n > 10),
    });
  }
  const afterEdit = decided.filter(({ decision, revision = 1 }) => decision === 'allowed' && revision > 1);
  expect(afterEdit.length).toBeGreaterThan(10);
  const inPlaceOf = all.filter(
    (event) => event.type === 'approval.voted' && event.data.eligible_as.some((one) => one?.in_place_of),
  );
  expect(inPlaceOf.length).toBeGreaterThan(10);
});
