import { type EventData, type EventType, makeEvent, type PlacetEvent } from '@placet/events';
import { describe, expect, test } from 'vitest';
import { answerOf } from './answer.ts';

const action_id = `act_${'0'.repeat(32)}`;
const of = { action_id, agent: 'support' };
const digest = `sha256:${'a'.repeat(64)}`;
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));

function event<T extends EventType>(type: T, id: string, data: unknown): PlacetEvent {
  return makeEvent(type, { service: 'gateway', id, now: at(0), data: data as EventData<T> });
}

const requested = event('action.requested', 'request', { ...of, action_name: 'read', payload: {} });
const allowed = event('action.decided', 'decision', {
  ...of,
  decision: 'allowed',
  cause: 'policy',
  reason: 'matched',
  rule: null,
  policies: [],
  payload_digest: digest,
  deciders: ['policy'],
  proof: 'a.b.c',
  valid_until: at(60).toISOString(),
});
const executed = (decision_event: string) =>
  event('action.executed', `report of ${decision_event}`, {
    ...of,
    decision_event,
    status: 'success',
    late: false,
  });

const answer = (events: PlacetEvent[], now: Date, forged: { seq: number; subject: string }[] = []) =>
  answerOf(action_id, { version: 1, events: events.map((e, i) => ({ seq: i + 1, event: e })), forged }, now);

describe('what an agent is told', () => {
  test.each([
    ['nothing but a request', [requested], 1, 'pending'],
    ['a permission in its time', [requested, allowed], 59, 'allowed'],
    ['a permission at its end', [requested, allowed], 60, 'expired'],
    ['a permission that was used', [requested, allowed, executed('decision')], 1, 'expired'],
    [
      'a permission, and the report of an earlier one',
      [executed('an earlier one'), requested, allowed],
      1,
      'allowed',
    ],
    ['a permission without its request', [allowed], 1, 'expired'],
    ['no event at all', [], 1, 'pending'],
  ])('%s', (_, events, seconds, decision) => {
    expect(answer(events, at(seconds)).decision).toBe(decision);
  });

  test('beside a message that we did not write nothing is allowed', () => {
    const forged = [{ seq: 9, subject: `placet.act.support.${action_id}.approval.voted.1` }];
    expect(answer([requested, allowed], at(1), forged)).toMatchObject({ decision: 'denied' });
  });
});
