import { describe, expect, test } from 'vitest';
import { readOptions } from './options.ts';
import { planFaults, type Targets } from './plan.ts';
import { createRandom } from './random.ts';

const targets: Targets = {
  services: ['gateway-1', 'gateway-2', 'policy-1', 'decisions-1', 'audit-1'],
  brokers: ['nats-1', 'nats-2', 'nats-3'],
  mongodb: true,
};
const fiveMinutesMs = 300_000;

describe('the plan of the faults', () => {
  test('is the same for a seed, and another for another', () => {
    expect(planFaults(1, fiveMinutesMs, targets)).toEqual(planFaults(1, fiveMinutesMs, targets));
    expect(planFaults(1, fiveMinutesMs, targets)).not.toEqual(planFaults(2, fiveMinutesMs, targets));
  });

  test.each([1, 2, 3, 4, 5])(
    'has a hundred faults in five minutes, of every kind and target (seed %i)',
    (seed) => {
      const faults = planFaults(seed, fiveMinutesMs, targets);
      expect(faults.length).toBeGreaterThanOrEqual(100);
      expect(new Set(faults.map(({ family, kind }) => `${family} ${kind}`)).size).toBe(10);
      expect(new Set(faults.map(({ target }) => target)).size).toBe(10);
    },
  );

  test.each([1, 2, 3, 4, 5])('begins with one fault of each family (seed %i)', (seed) => {
    const first = planFaults(seed, fiveMinutesMs, targets).slice(0, 4);
    expect(first.map(({ family }) => family).toSorted()).toEqual(['broker', 'mongodb', 'service', 'stream']);
  });

  test.each([1, 2, 3, 4, 5])('never has two brokers away (seed %i)', (seed) => {
    const brokers = planFaults(seed, fiveMinutesMs, targets).filter(({ family }) => family === 'broker');
    for (const [i, { atMs }] of brokers.entries()) {
      const before = brokers[i - 1];
      if (before) expect(atMs).toBeGreaterThan(before.atMs + before.forMs);
    }
  });

  test('leaves MongoDB alone where there is none', () => {
    const faults = planFaults(1, fiveMinutesMs, { ...targets, mongodb: false });
    expect(faults.filter(({ family }) => family === 'mongodb')).toEqual([]);
  });
});

test('the generator stays in its bounds, reaches them, and loses nothing when it shuffles', () => {
  const random = createRandom(7);
  const drawn = Array.from({ length: 2000 }, () => random.between(3, 6));
  expect(new Set(drawn)).toEqual(new Set([3, 4, 5, 6]));
  expect(random.shuffled([1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4]);
});

describe('the options', () => {
  test('are a minute and a seed of its own without any', () => {
    const { durationMs, seed, json } = readOptions([]);
    expect({ durationMs, json }).toEqual({ durationMs: 60_000, json: false });
    expect(Number.isInteger(seed)).toBe(true);
  });

  test('are taken as they are said', () => {
    expect(readOptions(['--minutes', '5', '--seed', '1', '--json'])).toEqual({
      durationMs: 300_000,
      seed: 1,
      json: true,
    });
    expect(readOptions(['--seconds', '25', '--seed', '0']).durationMs).toBe(25_000);
  });

  test.each([
    [['--minutes', '1', '--seconds', '60']],
    [['--minutes', 'soon']],
    [['--seconds', '1']],
    [['--minutes', '100000']],
    [['--seed', '-1']],
    [['--hours', '1']],
  ])('%j is refused', (args) => {
    expect(() => readOptions(args)).toThrow();
  });
});
