import { isDeepStrictEqual } from 'node:util';
import { makeEvent } from '@placet/events';
import { expect, test } from 'vitest';
import type { Evidence } from '../evidence.ts';
import type { Body, Note } from '../notes.ts';
import { emailOf } from '../world.ts';
import { checkRules } from './index.ts';
import { note, soundCase, stored, sweepAfterMs } from './sound-case.ts';
import { at } from './sound-events.ts';

export const examine = (evidence: Evidence) => checkRules(evidence, { sweepAfterMs });
export const ofType = (type: string) => (one: Evidence['stream'][number]) => one.event?.type === type;
export const without = <T>(items: T[], which: (item: T) => boolean) =>
  items.splice(items.findIndex(which), 1);
export const add = ({ stream }: Evidence, event: Parameters<typeof stored>[1]) =>
  stream.push(stored(stream.length + 1, event));
/** In the stream's order after the n-th of a type. */
export const insertAfter = (
  { stream }: Evidence,
  type: string,
  n: number,
  event: Parameters<typeof stored>[1],
) => stream.push(stored((stream.filter(ofType(type))[n]?.seq ?? 0) + 0.5, event));
export const told = (by: string, asked: Note['asked'], body: Body, seconds = 5, status = 200) =>
  note(by, asked, { status, body }, seconds);
export const refused = (name: string, asked: Note['asked'], error: string, seconds: number, status = 409) =>
  told(emailOf(name), asked, { error }, seconds, status);
export const noteOf = ({ notes }: Evidence, name: string, asked: Note['asked']) =>
  notes.find((one) => one.by === emailOf(name) && isDeepStrictEqual(one.asked, asked)) as Note;
export const dataOf = <T>({ stream }: Evidence, type: string, n = 0) =>
  stream.filter(ofType(type))[n]?.event?.data as T;
export const answer = (action: string): Note['asked'] => ({ kind: 'answer', action });
export const allowed = (action: string): Body => ({
  action_id: action,
  decision: 'allowed',
  valid_until: at(30).toISOString(),
});

export function systemEvent(type: 'alarm.raised' | 'message.dead', data: object) {
  return makeEvent(type, { service: 'decisions', id: 'sys-1', now: at(5), data: data as never });
}

/** Each case spoils the sound history in one place, and the rule has to say so. */
export type Planted = [what: string, says: RegExp, plant: (evidence: Evidence) => void];

export function planted(rule: number, cases: Planted[]): void {
  test.each(cases)(`${rule}: %s`, (_, says, plant) => {
    const evidence = soundCase();
    plant(evidence);
    const found = examine(evidence)[rule - 1];
    expect(found?.violations.map(({ what }) => what).join('\n')).toMatch(says);
  });
}
