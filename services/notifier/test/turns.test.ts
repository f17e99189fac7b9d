import { releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { type Ledger, openLedger } from '../ledger.ts';
import { Line } from '../line.ts';
import { createTurns } from '../turns.ts';

releaseAfterEach();

const place = { name: '#approvals', everyMs: 1000 };

async function openLines() {
  const { context } = await startTestBus(await startTestNats());
  return { context, ledger: await openLedger(context, Line) };
}

test('all who send take different turns, however many at once', async () => {
  const { context, ledger } = await openLines();
  const senders = [createTurns(ledger, context), createTurns(ledger, context)];
  const taken = await Promise.all(
    Array.from({ length: 40 }, (_, n) => senders[n % 2]?.take(place, n % 3) ?? []),
  );
  const turns = taken.flat().map(({ turn }) => turn);
  expect(turns).toHaveLength(39);
  const sorted = turns.toSorted((a, b) => a - b);
  expect(sorted.slice(1).every((turn, n) => turn - (sorted[n] ?? 0) >= place.everyMs)).toBe(true);
});

test('a rest that one was told moves the turns of the other', async () => {
  const { context, ledger } = await openLines();
  const [one, other] = [createTurns(ledger, context), createTurns(ledger, context)];
  const [held] = await other.take(place, 1);
  const until = Date.now() + 60_000;
  await one.rest(place, until);
  expect((await other.look(place, held?.turn ?? 0)).due).toBeGreaterThanOrEqual(until - 5000);
});

test('who waits gets an earlier turn that somebody gave back, and leaves the own', async () => {
  const { context, ledger } = await openLines();
  const turns = createTurns(ledger, context);
  const [, second, third] = await turns.take(place, 3);
  if (!second || !third) throw new Error('no turns');
  await turns.giveBack(place, [second.turn]);
  expect(await turns.look(place, third.turn)).toMatchObject({ turn: second.turn });
  expect(await turns.take(place, 1)).toMatchObject([{ turn: third.turn }]);
});

test('where the lines cannot be reached it is the turn of everybody', async () => {
  const { context } = await openLines();
  const away: Ledger<Line> = {
    get: () => Promise.reject(new Error('away')),
    put: () => Promise.reject(new Error('away')),
  };
  const turns = createTurns(away, context);
  const [first, second] = await turns.take(place, 2);
  const now = Date.now();
  for (const turn of [first, second, await turns.look(place, now + 60_000)]) {
    expect(turn?.due).toBeLessThanOrEqual(Date.now());
  }
  await turns.rest(place, now + 60_000);
  await turns.giveBack(place, [now]);
});
