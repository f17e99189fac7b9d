import { expect, test } from 'vitest';
import { inOrder, lateOnes, type Waiting } from './order.ts';

const place = { name: '#approvals', everyMs: 1000 };
const mails = { name: 'the mail server', everyMs: 50 };

/** `a1` is the first of agent a, which ends first. */
const waits = (key: string, { count = 1, ...fields }: Partial<Waiting> = {}): Waiting => ({
  key,
  agent: key[0] ?? '',
  revision: 1,
  deadline: 1_000_000 + Number(key.slice(1)),
  count,
  asks: count,
  ...fields,
});
const orderOf = (waiting: Waiting[], where: Partial<Parameters<typeof inOrder>[1]> = {}) =>
  [...inOrder(waiting, { place, served: {}, now: 0, ...where })].map(({ one, count }) =>
    count === 1 ? one.key : `${one.key}×${count}`,
  );

test('of one agent is first what ends first', () => {
  expect(orderOf([waits('a3'), waits('a1'), waits('a2')])).toEqual(['a1', 'a2', 'a3']);
});

test('each agent has its turn, however much another one asks', () => {
  const many = Array.from({ length: 5 }, (_, n) => waits(`a${n}`));
  expect(orderOf([...many, waits('b9'), waits('c8'), waits('c9')])).toEqual([
    'a0',
    'b9',
    'c8',
    'a1',
    'c9',
    'a2',
    'a3',
    'a4',
  ]);
});

test('whoever was served the longest ago is first, and who never was before them', () => {
  const served = { a: 500, b: 400 };
  expect(orderOf([waits('a1'), waits('b1'), waits('c1')], { served })).toEqual(['c1', 'b1', 'a1']);
  // Whom a clock that is an hour ahead has served need not wait for that hour.
  expect(orderOf([waits('a1'), waits('b1')], { served: { a: 3_600_000, b: 1 } })).toEqual(['a1', 'b1']);
});

test('many messages of one approval go a few at a time', () => {
  const waiting = [waits('a1', { count: 12 }), waits('b1', { count: 6 })];
  expect(orderOf(waiting, { place: mails })).toEqual(['a1×5', 'b1×5', 'a1×5', 'b1', 'a1×2']);
});

test('what comes after its deadline is known before, and takes no turn', () => {
  const late = (waiting: Waiting[], freeAt = 0) =>
    Object.fromEntries(
      lateOnes(waiting, { place, served: {}, now: 0, freeAt }).map(({ one, count }) => [one.key, count]),
    );
  const soon = [
    waits('a1', { deadline: 2500 }),
    waits('b1', { deadline: 2500 }),
    waits('b2', { deadline: 2500 }),
  ];
  expect(late(soon)).toEqual({});
  expect(late([...soon, waits('a2', { deadline: 2600 })])).toEqual({ b2: 1 });
  expect(late(soon, 2000)).toEqual({ b1: 1, b2: 1 });
  expect(late([waits('a1', { deadline: 1000, count: 3 }), waits('b1', { deadline: 1001 })])).toEqual({
    a1: 2,
  });
});

test('what is asked takes turns with what else is said, and how something ended is never too late', () => {
  const waiting = [
    waits('a1'),
    waits('a2'),
    waits('a8', { deadline: null }),
    waits('a9', { deadline: null }),
  ];
  expect(orderOf(waiting)).toEqual(['a1', 'a8', 'a2', 'a9']);
  const reminded = waits('a0', { count: 2, asks: 0 });
  expect(orderOf([reminded, waits('a1'), waits('a2')])).toEqual(['a0', 'a1', 'a0', 'a2']);
  expect(orderOf([reminded, waits('a1')], { served: { 'a (more)': 5 } })[0]).toBe('a1');
  const over = [waits('a1', { deadline: 500 }), waits('a8', { deadline: null, count: 3 })];
  const where = { place, served: { a: 5 }, now: 0, freeAt: 0 };
  expect(lateOnes(over, where).map(({ one }) => one.key)).toEqual(['a1']);
});

test('whom something is asked goes before who is told more', () => {
  const waiting = [waits('a1', { deadline: 3000, count: 5, asks: 3 })];
  const late = (freeAt: number) => lateOnes(waiting, { place, served: {}, now: 0, freeAt });
  expect(late(0)).toEqual([]);
  expect(late(1000).map(({ count }) => count)).toEqual([1]);
});
