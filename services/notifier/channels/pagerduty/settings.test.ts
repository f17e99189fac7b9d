import { readSettings } from '@placet/runtime';
import { expect, test } from 'vitest';
import { pagerdutySettings } from './settings.ts';

const [a, b] = ['a'.repeat(32), 'B1'.repeat(16)];
const read = (text: string) => readSettings(pagerdutySettings, { PLACET_PAGERDUTY_KEYS: text }).pagerdutyKeys;

test('services have keys, and without any there are none', () => {
  expect([...read(`airline=${a}, Hotel_2=${b},`)]).toEqual([
    ['airline', a],
    ['Hotel_2', b],
  ]);
  expect(read('').size).toBe(0);
});

test.each([
  a,
  `airline=${a.slice(1)}`,
  `airline=${a}=`,
  `air line=${a}`,
  `airline=${a},airline=${b}`,
  `airline=${a.slice(1)}-`,
  Array.from({ length: 101 }, (_, n) => `s${n}=${a}`).join(','),
])('%s is refused, and not shown', (text) => {
  expect(() => read(text)).toThrow('PLACET_PAGERDUTY_KEYS: must be');
  expect(() => read(text)).not.toThrow(a.slice(1));
});
