import { expect, test } from 'vitest';
import { openHand, type Taken } from './hand.ts';
import type { Grant, Place } from './pace.ts';

const mails: Place = { name: 'the mail server', everyMs: 50 };
const channel: Place = { name: '#approvals', everyMs: 1000 };
const grantAt = (place: Place, count: number): Grant => ({ place, from: 0, count });

/** Turns as they are given elsewhere, and what is given back. */
function startTurns({ isWaited = false, isCrowded = false } = {}) {
  const taken: string[] = [];
  const back: [string, number][] = [];
  const turns = {
    async take(place: Place, _agent: string, wanted: number) {
      taken.push(place.name);
      return grantAt(place, Math.min(wanted, 5));
    },
    async giveBack({ place }: Grant, unneeded: number) {
      back.push([place.name, unneeded]);
    },
    async rest() {},
    seen: () => ({ freeAt: 0, served: {} }),
  };
  const open = (given?: Taken) =>
    openHand({ turns, agenda: { isWaitedAt: () => isWaited } }, { key: 'k', agent: 'a', given, isCrowded });
  return { taken, back, open };
}

test('takes what it can have, and gives back what was not used', async () => {
  const { taken, back, open } = startTurns();
  const hand = open();
  expect(await hand.take(mails, 9)).toBe(5);
  expect(await hand.take(channel, 1)).toBe(1);
  await hand.close();
  expect(back).toEqual([]);
  hand.undo();
  await hand.close();
  expect(back).toEqual([
    ['the mail server', 5],
    ['#approvals', 1],
  ]);
  expect(taken).toEqual(['the mail server', '#approvals']);
});

test.each([
  ['others wait', { isWaited: true }],
  ['much of the agent is done already', { isCrowded: true }],
])('where %s nothing is taken, and what was given is used', async (_, options) => {
  const { taken, back, open } = startTurns(options);
  const given: Taken = { grant: grantAt(mails, 3), left: 3 };
  const hand = open(given);
  expect(await hand.take(channel, 1)).toBe(0);
  expect(await hand.take(mails, 2)).toBe(2);
  expect(await hand.take(mails, 2)).toBe(1);
  expect(await hand.take(mails, 2)).toBe(0);
  hand.undo();
  await hand.close();
  // Whoever gave it gives it to the next.
  expect(given.left).toBe(3);
  expect([taken, back]).toEqual([[], []]);
});

test('one look takes turns at five places, and the others wait', async () => {
  const { open } = startTurns();
  const hand = open();
  const counts = [];
  for (let n = 0; n < 25; n++) counts.push(await hand.take({ name: `@${n}`, everyMs: 1000 }, 1));
  expect(counts).toEqual([...Array(5).fill(1), ...Array(20).fill(0)]);
});
