import { describe, expect, test } from 'vitest';
import { changed, isWithin, overlaps, stepsOf } from './payload-changes.ts';

const payload = { amount: 5, to: { city: 'Bonn', 'a.b': 1 }, list: [1], nothing: null };

describe('a changed payload', () => {
  test.each([
    ['payload.amount', 7, { ...payload, amount: 7 }, 5],
    ['payload.to.city', 'Kiel', { ...payload, to: { ...payload.to, city: 'Kiel' } }, 'Bonn'],
    ['payload.to', { city: 'Kiel' }, { ...payload, to: { city: 'Kiel' } }, payload.to],
    ['payload.nothing', 1, { ...payload, nothing: 1 }, null],
    ['payload.list', [2], { ...payload, list: [2] }, [1]],
  ])('%s', (path, to, expected, from) => {
    const before = structuredClone(payload);
    expect(changed(payload, path, to)).toEqual({ payload: expected, from });
    expect(payload).toEqual(before);
  });

  test('has a new last name, which stood nowhere before', () => {
    expect(changed(payload, 'payload.to.zip', 1)).toEqual({
      payload: { ...payload, to: { ...payload.to, zip: 1 } },
    });
  });

  test.each([
    'payload.none.city',
    'payload.amount.city',
    'payload.list.0',
    'payload.nothing.x',
    'payload.to.a.b',
  ])('has no place at %s', (path) => {
    expect(changed(payload, path, 1)).toBeNull();
  });
});

test.each([
  'payload',
  'payload.',
  '.payload',
  'amount',
  'payload..a',
  'payload.__proto__',
  'payload.a.__proto__.b',
  '',
])('%j is no path', (path) => {
  expect(stepsOf(path)).toBeNull();
});

test('a path is within itself and what it leads into, by whole steps', () => {
  expect(isWithin('payload.a', 'payload.a')).toBe(true);
  expect(isWithin('payload.a.b', 'payload.a')).toBe(true);
  expect(isWithin('payload.ab', 'payload.a')).toBe(false);
  expect(isWithin('payload.a', 'payload.a.b')).toBe(false);
  expect(overlaps('payload.a', 'payload.a.b')).toBe(true);
});
