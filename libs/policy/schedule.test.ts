import { describe, expect, test } from 'vitest';
import { compileLayer, evaluate } from './index.ts';
import { factsOf } from './test-arbitraries.ts';
import { policyOf, problemsOf, rule } from './test-reading.ts';

const applies = (schedule: string, now: string): boolean => {
  const policy = policyOf(rule('decide: allow', `schedule: ${schedule}`));
  const layer = compileLayer({ scope: 'default', digest: 'd', revision: 1, policy });
  return evaluate([layer], factsOf('pay', { now: new Date(now) })).decide === 'allow';
};

const work = '{ days: [mon, tue, wed, thu, fri], hours: "09:00-18:00", zone: Europe/Berlin }';
const night = '{ days: [fri], hours: "22:00-06:00", zone: UTC }';

describe('a rule with a schedule is there', () => {
  test.each([
    // A Monday in winter: Berlin is an hour ahead.
    [work, '2026-03-02T08:00:00Z', true],
    [work, '2026-03-02T07:59:59Z', false],
    [work, '2026-03-02T16:59:59Z', true],
    [work, '2026-03-02T17:00:00Z', false],
    // A Monday in summer: two hours.
    [work, '2026-07-06T07:00:00Z', true],
    [work, '2026-07-06T06:59:00Z', false],
    // A Sunday, and one that is still Sunday in UTC and Monday nowhere in Europe.
    [work, '2026-03-01T12:00:00Z', false],
    // Over midnight the hours belong to the day on which they begin: a Friday, and the Saturday after it.
    [night, '2026-03-06T22:00:00Z', true],
    [night, '2026-03-07T05:59:00Z', true],
    [night, '2026-03-07T06:00:00Z', false],
    [night, '2026-03-07T22:30:00Z', false],
    [night, '2026-03-06T05:00:00Z', false],
    ['{ days: [mon], zone: Asia/Tokyo }', '2026-03-01T15:00:00Z', true],
    ['{ days: [mon], zone: Asia/Tokyo }', '2026-03-01T14:59:00Z', false],
    ['{ hours: "00:00-24:00", zone: UTC }', '2026-03-01T23:59:59Z', true],
    ['{ hours: "23:00-00:00", zone: UTC }', '2026-03-01T23:30:00Z', true],
    ['{ hours: "23:00-00:00", zone: UTC }', '2026-03-01T00:30:00Z', false],
  ])('%s at %s: %s', (schedule, now, expected) => expect(applies(schedule, now)).toBe(expected));

  test('on the day on which the clock goes forward and back', () => {
    const early = '{ hours: "01:00-04:00", zone: Europe/Berlin }';
    // 01:59 and then 03:00; later in the year 02:30 twice.
    for (const now of [
      '2026-03-29T00:59:00Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
    ]) {
      expect(applies(early, now)).toBe(true);
    }
    expect(applies(early, '2026-03-29T02:00:00Z')).toBe(false);
  });
});

describe('is refused', () => {
  test.each([
    ['schedule: work', 'schedule: expected a map with zone and days or hours, found the text "work"'],
    ['schedule: { days: [mon] }', 'a schedule needs zone: a time zone, as Europe/Berlin or UTC'],
    ['schedule: { zone: UTC }', 'schedule: without days and hours it would say nothing'],
    [
      'schedule: { zone: Europe/Berln, days: [mon] }',
      'zone: expected a time zone, as Europe/Berlin or UTC, found the text "Europe/Berln"',
    ],
    ['schedule: { zone: "+01:00", days: [mon] }', 'zone: expected a time zone'],
    ['schedule: { zone: UTC, days: [] }', 'days: expected a list, as [mon, fri], found a list'],
    [
      'schedule: { zone: UTC, days: [moon] }',
      'days: expected sun, mon, tue, wed, thu, fri or sat, found the text "moon": did you mean "mon"?',
    ],
    ['schedule: { zone: UTC, days: [mon, mon] }', 'days: mon is listed twice'],
    [
      'schedule: { zone: UTC, hours: 9-18 }',
      'hours: expected two different times in quotes, as "09:00-18:00"',
    ],
    ['schedule: { zone: UTC, hours: "09:00-09:00" }', 'hours: expected two different times'],
    ['schedule: { zone: UTC, hours: "09:60-10:00" }', 'hours: expected two different times'],
    ['schedule: { zone: UTC, hours: "24:00-10:00" }', 'hours: expected two different times'],
    ['schedule: { zone: UTC, hours: "09:00-24:01" }', 'hours: expected two different times'],
    ['schedule: { zone: UTC, day: [mon] }', 'unknown field "day" in a schedule: did you mean "days"?'],
    ['days: [mon]', 'unknown field "days" in a rule: it belongs to a schedule'],
  ])('%s', (field, expected) => expect(problemsOf(rule('decide: allow', field))).toContain(expected));
});
