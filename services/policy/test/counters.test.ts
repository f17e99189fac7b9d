import { counterPlace } from '@placet/events';
import type { CounterUse } from '@placet/policy';
import { readCount } from '@placet/runtime';
import { countTotals, eventually, releaseAfterEach, startTestBus, startTestNats } from '@placet/testing';
import { expect, test } from 'vitest';
import { watchCounterRoom } from '../counter-room.ts';
import { createCounters } from '../counters.ts';

releaseAfterEach();

const use = (more: Partial<CounterUse> = {}): CounterUse => ({
  scope: 'default',
  rule: 'r',
  kind: 'limit',
  label: '2 per 1h',
  counted: '["limit","r"]',
  key: '',
  units: 1n,
  max: 2n,
  perMs: 31 * 86_400_000,
  ...more,
});
const other = use({ rule: 'other', counted: '["limit","other"]', max: 1n });
const at = new Date();
const request = (id: string) => ({ id, at });

/** Two instances of the service, on one broker. */
async function two() {
  const server = await startTestNats();
  const bus = await startTestBus(server, { service: 'policy' });
  const hasRoom = async () => true;
  return { bus, one: createCounters(bus.context, hasRoom), another: createCounters(bus.context, hasRoom) };
}

test('a request that is delivered again, to whomever, is counted once', async () => {
  const { bus, one, another } = await two();
  for (const counters of [one, another, one]) {
    expect((await counters.take([use()], request('a'))).refused.size).toBe(0);
  }
  expect(await countTotals(bus.context.jsm)).toEqual([1]);
});

test('whoever comes after the bound is taken back, and refused again when delivered again', async () => {
  const { bus, one, another } = await two();
  for (const id of ['a', 'b']) expect((await one.take([use()], request(id))).refused.size).toBe(0);
  for (const counters of [one, another, one]) {
    expect([...(await counters.take([use()], request('c'))).refused.values()]).toEqual(['over']);
  }
  for (const id of ['a', 'b']) expect((await another.take([use()], request(id))).refused.size).toBe(0);
  expect(await countTotals(bus.context.jsm)).toEqual([2]);
});

test('as many as the bound says, of many at one moment over two instances, each delivered twice', async () => {
  const { bus, one, another } = await two();
  const allowed = new Set<string>();
  await Promise.all(
    Array.from({ length: 40 }, (_, n) => n).flatMap((n) =>
      [one, another].map(async (counters) => {
        const taken = await counters.take([use({ max: 10n })], request(`r${n}`));
        if (taken.refused.size === 0) allowed.add(`r${n}`);
      }),
    ),
  );
  expect(allowed.size).toBe(10);
  expect(await countTotals(bus.context.jsm)).toEqual([10]);
});

test('what one use took is taken back when another is refused, however often and to whomever it is delivered', async () => {
  const { bus, one, another } = await two();
  expect((await one.take([other], request('first'))).refused.size).toBe(0);
  // Delivered again before the verdict was stored: the first use is a repetition by then.
  for (const counters of [one, another]) {
    const taken = await counters.take([use(), other], request('a'));
    expect([...taken.refused.values()]).toEqual(['over']);
  }
  expect(await countTotals(bus.context.jsm)).toEqual([1, 1]);
  const last = await one.take([use(), other], request('a'));
  for (const _ of [1, 2]) await last.undo();
  expect(await countTotals(bus.context.jsm)).toEqual([0, 1]);
  // And once more, when there would be room now: it was taken back, and is not counted a second time.
  const late = await another.take([use(), { ...other, max: 5n }], request('a'));
  expect([...late.refused.values()]).toContain('unreadable');
  await late.undo();
  expect(await countTotals(bus.context.jsm)).toEqual([0, 1]);
});

test('what was allowed stays counted when the bound is lowered and everything is delivered again', async () => {
  const { bus, one, another } = await two();
  const spent = (max: bigint) => use({ kind: 'budget', units: 50n, max });
  for (const id of ['a', 'b']) expect((await one.take([spent(100n)], request(id))).refused.size).toBe(0);
  for (const id of ['a', 'b', 'a']) {
    // It was decided before, so nobody undoes it.
    const taken = await another.take([spent(60n)], request(id));
    expect([...taken.refused.values()].every((why) => why === 'over')).toBe(true);
  }
  expect(await countTotals(bus.context.jsm)).toEqual([100]);
  expect([
    ...(await one.take([use({ kind: 'budget', units: 10n, max: 60n })], request('c'))).refused.values(),
  ]).toEqual(['over']);
  expect(await countTotals(bus.context.jsm)).toEqual([100]);
});

test('what was over, and not taken back before its service died, is taken back by who is given it next', async () => {
  const { bus, one, another } = await two();
  for (const id of ['a', 'b', 'c']) await one.take([use({ max: 9n })], request(id));
  const next = await another.take([use({ max: 2n })], request('c'));
  expect([...next.refused.values()]).toEqual(['over']);
  await next.undo();
  expect(await countTotals(bus.context.jsm)).toEqual([2]);
});

test('a use that is refused says of the others whether they would be, too', async () => {
  const { bus, one } = await two();
  for (const [n, full] of [use({ max: 1n }), other].entries()) await one.take([full], request(`r${n}`));
  const { refused } = await one.take([use({ max: 1n }), other, use({ counted: 'third' })], request('a'));
  expect([...refused.values()]).toEqual(['over', 'over']);
  expect(await countTotals(bus.context.jsm)).toEqual([1, 1]);
});

test('without room nothing is counted', async () => {
  const server = await startTestNats();
  const { context, alarm } = await startTestBus(server, { service: 'policy' });
  const full = createCounters(context, watchCounterRoom({ context, alarm }, 1));
  await createCounters(context, async () => true).take([use()], request('a'));
  expect([...(await full.take([use()], request('b'))).refused.values()]).toEqual(['unreadable']);
  expect(await countTotals(context.jsm)).toEqual([1]);
  await eventually(async () => {
    const { state } = await context.jsm.streams.info('PLACET', {
      subjects_filter: 'placet.sys.alarm.raised.>',
    });
    expect(Object.keys(state.subjects ?? {})).toHaveLength(1);
  });
});

test('while the broker is away nothing is counted, and nobody waits for it again and again', async () => {
  const { bus, one } = await two();
  await bus.context.jsm.streams.delete('PLACET_COUNT_MONTH');
  for (const id of ['a', 'b', 'c']) {
    expect([...(await one.take([use()], request(id))).refused.values()]).toEqual(['unreadable']);
  }
});

test('what was taken for an action that was decided otherwise is undone once', async () => {
  const { bus, one, another } = await two();
  const [first, second] = [await one.take([use()], request('a')), await another.take([use()], request('a'))];
  expect(await countTotals(bus.context.jsm)).toEqual([1]);
  await Promise.all([first.undo(), second.undo(), second.undo()]);
  expect(await countTotals(bus.context.jsm)).toEqual([0]);
});

test('a request so old that the broker may have forgotten it is not counted', async () => {
  const { bus, one } = await two();
  const old = { id: 'a', at: new Date(Date.now() - 5 * 60_000 - 1000) };
  expect([...(await one.take([use()], old)).refused.values()]).toEqual(['unreadable']);
  expect(await countTotals(bus.context.jsm)).toEqual([]);
});

test('windows of one count are counted apart, each in the stream of its length', async () => {
  const { bus, one } = await two();
  const hourly = use({ perMs: 1000, max: 1n });
  const moments = [at, new Date(at.getTime() - 2000)];
  for (const [n, moment] of moments.entries()) {
    expect((await one.take([hourly], { id: `r${n}`, at: moment })).refused.size).toBe(0);
  }
  expect(await countTotals(bus.context.jsm)).toEqual([1, 1]);
  const { state } = await bus.context.jsm.streams.info('PLACET_COUNT_HOUR');
  expect(state.messages).toBe(2);
});

test.each([
  [3_600_000, 'PLACET_COUNT_HOUR'],
  [3_600_001, 'PLACET_COUNT_DAY'],
  [86_400_000, 'PLACET_COUNT_DAY'],
  [31 * 86_400_000, 'PLACET_COUNT_MONTH'],
])('a window of %d ms is kept in %s, twice as long as it lasts', (perMs, name) => {
  const { stream } = counterPlace('id', perMs, at);
  expect(stream.name).toBe(name);
  expect(stream.keptMs).toBeGreaterThanOrEqual(2 * perMs);
});

test('the broker takes nothing but additions there, and nobody can empty a count', async () => {
  const { bus, one } = await two();
  await one.take([use()], request('a'));
  const { subject } = counterPlace('x', 31 * 86_400_000, at);
  const plain = await bus.context.nc.request(subject, '{"val":"-99"}');
  expect(plain.json()).toMatchObject({ error: { err_code: 10169 } });
  await expect(bus.context.jsm.streams.purge('PLACET_COUNT_MONTH')).rejects.toThrow();
  await expect(bus.context.jsm.streams.deleteMessage('PLACET_COUNT_MONTH', 1)).rejects.toThrow();
  expect(await readCount(bus.context, counterPlace('x', 31 * 86_400_000, at))).toBe(0n);
});
