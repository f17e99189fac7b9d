import { isMap, isScalar, isSeq } from 'yaml';
import { type Field, readFields } from './fields.ts';
import { scheduleGrammar } from './grammar.ts';
import { nearest } from './nearest.ts';
import { oneOf, quote } from './problems.ts';
import type { Node, Source } from './yaml.ts';

export const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Day = (typeof days)[number];
type Hours = { from: number; until: number };

/** A day begins at 00:00, and ends at 24:00. */
export const hoursForm = /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/;

/** When a rule is there. Hours that go over midnight belong to the day on which they begin. */
export type Schedule = { includes(now: Date): boolean };

export const readSchedule = (source: Source, field: Field | undefined): Schedule | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  if (!isMap(node)) {
    source.problem(
      node,
      field.path,
      `schedule: expected a map with zone and days or hours, found ${source.describe(node)}`,
    );
    return undefined;
  }
  const fields = readFields(source, node, scheduleGrammar, field.path);
  const zone = readZone(source, fields.get('zone'));
  const onDays = readDays(source, fields.get('days'));
  const hours = readHours(source, fields.get('hours'));
  if (!fields.has('days') && !fields.has('hours')) {
    source.problem(node, field.path, 'schedule: without days and hours it would say nothing');
  }
  return zone === undefined ? undefined : scheduleOf(zone, onDays, hours);
};

/** One for each zone: it holds some 60 KB. */
const formats = new Map<string, Intl.DateTimeFormat>();

const formatIn = (zone: string): Intl.DateTimeFormat => {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  formats.set(zone, format);
  return format;
};

const scheduleOf = (
  zone: string,
  onDays: ReadonlySet<Day> | undefined,
  hours: Hours | undefined,
): Schedule => {
  const format = formatIn(zone);
  return {
    includes(now) {
      const parts = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
      const today = days.indexOf(parts['weekday']?.toLowerCase() as Day);
      const minute = Number(parts['hour']) * 60 + Number(parts['minute']);
      const isOn = (day: number) => !onDays || onDays.has(days[(day + 7) % 7] as Day);
      if (!hours) return isOn(today);
      const { from, until } = hours;
      if (from < until) return isOn(today) && minute >= from && minute < until;
      return (isOn(today) && minute >= from) || (isOn(today - 1) && minute < until);
    },
  };
};

const readZone = (source: Source, field: Field | undefined): string | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const zone = isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
  if (zone !== undefined && isZone(zone)) return zone;
  source.problem(
    node,
    field.path,
    `zone: expected a time zone, as Europe/Berlin or UTC, found ${source.describe(node)}`,
  );
  return undefined;
};

/** An offset, which Node takes too, would not follow summer time. */
const isZone = (zone: string): boolean => {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

const readDays = (source: Source, field: Field | undefined): ReadonlySet<Day> | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  if (!isSeq(node) || node.items.length === 0) {
    source.problem(node, field.path, `days: expected a list, as [mon, fri], found ${source.describe(node)}`);
    return undefined;
  }
  const found = new Set<Day>();
  for (const [position, item] of (node.items as Node[]).slice(0, days.length + 1).entries()) {
    const path = `${field.path}[${position}]`;
    const one = source.resolve(item, path);
    const written = one && isScalar(one) ? one.value : undefined;
    const day = days.find((name) => name === written);
    if (day && !found.has(day)) found.add(day);
    else if (day) source.problem(item, path, `days: ${day} is listed twice`);
    else if (one) {
      const like = typeof written === 'string' ? nearest(written, days) : undefined;
      const hint = like ? `: did you mean ${quote(like)}?` : '';
      source.problem(one, path, `days: expected ${oneOf(days)}, found ${source.describe(one)}${hint}`);
    }
  }
  return found;
};

const readHours = (source: Source, field: Field | undefined): Hours | undefined => {
  const node = field && source.resolve(field.value, field.path);
  if (!field || !node) return undefined;
  const text = isScalar(node) && typeof node.value === 'string' ? node.value : '';
  const [from, until] = hoursForm.test(text) ? text.split('-').map(minuteOf) : [];
  if (from !== undefined && until !== undefined && from !== until) return { from, until };
  source.problem(
    node,
    field.path,
    `hours: expected two different times in quotes, as "09:00-18:00" or "22:00-06:00", found ${source.describe(node)}`,
  );
  return undefined;
};

const minuteOf = (text: string): number => {
  const [hour = 0, minute = 0] = text.split(':').map(Number);
  return hour * 60 + minute;
};
