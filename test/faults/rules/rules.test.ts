import { expect, test } from 'vitest';
import { together } from './index.ts';
import { examine } from './planting.ts';
import { soundCase } from './sound-case.ts';
import { wire } from './sound-events.ts';

test('a history in which every rule holds has no violation, and every rule something to look at', () => {
  const findings = examine(soundCase());
  expect(
    findings.flatMap(({ rule, violations }) => violations.map(({ what }) => `${rule}: ${what}`)),
  ).toEqual([]);
  for (const { rule, checked } of findings) {
    const idle = Object.entries(checked).filter(([, count]) => count === 0);
    expect({ rule, idle }).toEqual({ rule, idle: [] });
  }
  expect(findings.map(({ rule }) => Number(rule.split(' ')[0]))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]);
});

test('the findings of two phases are added up', () => {
  const sound = examine(soundCase());
  const spoilt = soundCase();
  spoilt.unfinished.push(wire);
  const sum = together([sound, examine(spoilt)]);
  expect(sum).toHaveLength(sound.length);
  expect(sum[1]?.checked['accepted actions']).toBe(14);
  expect(sum.map(({ violations }) => violations.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
});
