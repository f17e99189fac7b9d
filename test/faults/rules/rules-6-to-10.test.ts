import type { EventOf } from '@placet/events';
import { describe } from 'vitest';
import type { Evidence } from '../evidence.ts';
import type { Note } from '../notes.ts';
import { add, answer, dataOf, ofType, planted, systemEvent, told, without } from './planting.ts';
import { at, decidedOf, drop, refund, votedBy, wire } from './sound-events.ts';

describe('a violation is reported by the rule', () => {
  planted(6, [
    [
      'a confirmed vote that is not in the stream',
      /confirmed, and is not/,
      ({ notes }) => notes.push(told('tom@example.com', { kind: 'vote', action: wire, vote: 'approve' }, {})),
    ],
    [
      'a vote that nobody cast',
      /that nobody cast/,
      (e) => {
        e.notes = e.notes.filter(({ by }) => by !== 'cem@example.com');
      },
    ],
    [
      'a vote that counts although it was refused',
      /that nobody cast/,
      ({ notes }) => {
        const lost = notes.find(({ by }) => by === 'cem@example.com') as Note;
        lost.told = { status: 403, body: { error: 'NOT_ELIGIBLE' } };
      },
    ],
    [
      'a vote of somebody who was not asked',
      /without being asked/,
      (e) => {
        dataOf<EventOf<'approval.voted'>['data']>(e, 'approval.voted').voter.email = 'out@example.com';
      },
    ],
    [
      'a number that is left out',
      /has the number 3/,
      (e) => {
        dataOf<{ number: number }>(e, 'approval.voted', 1).number = 3;
      },
    ],
    ['a vote after the decision', /after the decision/, (e) => add(e, votedBy(wire, 'tom', 'approve', 3))],
    [
      'an approver who was turned away',
      /may do this \(vote\), and was refused/,
      ({ notes }) =>
        notes.push(
          told(
            'tom@example.com',
            { kind: 'vote', action: wire, vote: 'approve' },
            { error: 'NOT_ELIGIBLE' },
            2,
            403,
          ),
        ),
    ],
    [
      'an approval that is denied to exist',
      /there is no approval/,
      ({ notes }) =>
        notes.push(
          told(
            'tom@example.com',
            { kind: 'vote', action: wire, vote: 'approve' },
            { error: 'NOT_FOUND' },
            2,
            404,
          ),
        ),
    ],
  ]);
  planted(7, [
    [
      'an event that is in the stream twice',
      /in the stream twice/,
      ({ stream }) => stream.push({ ...(stream[0] as (typeof stream)[number]), seq: 99, subject: 'other' }),
    ],
    ['a subject that was written twice', /written twice/, (e) => add(e, votedBy(wire, 'tom', 'approve', 1))],
    [
      'a message that is no event',
      /no event of ours/,
      ({ stream }) => stream.push({ seq: 99, subject: 'placet.x', body: '', event: null }),
    ],
    [
      'an id that is on the record twice',
      /has the id .* again/,
      ({ record }) => {
        (record[1] as { id: string }).id = record[0]?.id ?? '';
      },
    ],
    ['an end that was not told', /told 0 times/, (e) => without(e.stream, ofType('approval.closed'))],
    [
      'people asked twice',
      /asked about revision 1 again/,
      (e) =>
        e.stream.push({
          ...(e.stream.find(ofType('approval.needed')) as Evidence['stream'][number]),
          seq: 99,
        }),
    ],
  ]);
  planted(8, [
    [
      'a request that is not decided',
      /never decided/,
      (e) =>
        without(e.stream, ({ event }) => event?.type === 'action.decided' && event.data.action_id === refund),
    ],
    [
      'a deadline that came too early',
      /too early/,
      (e) => {
        (
          e.stream.find(({ event }) => event?.type === 'action.decided' && event.data.action_id === refund)
            ?.event as EventOf<'action.decided'>
        ).time = at(5).toISOString();
      },
    ],
    [
      'a sweep that came too early',
      /too early/,
      (e) => {
        without(e.stream, ({ event }) => event?.type === 'action.decided' && event.data.action_id === drop);
        add(e, decidedOf(drop, 'denied', 'evaluation_failed', 5));
      },
    ],
    [
      'an accepted action that is denied to exist',
      /no such action/,
      ({ notes }) => notes.push(told('billing', answer(wire), { error: 'ACTION_NOT_FOUND' }, 5, 404)),
    ],
    [
      'an alarm',
      /an alarm: action_lost/,
      (e) => add(e, systemEvent('alarm.raised', { kind: 'action_lost', message: 'lost' })),
    ],
    [
      'an alarm that people are too few, where nobody became fewer',
      /an alarm: approval_without_approvers/,
      (e) => {
        const alarm = { kind: 'approval_without_approvers', message: 'few', details: { action_id: wire } };
        add(e, systemEvent('alarm.raised', alarm));
      },
    ],
    [
      'a message that was given up',
      /given up/,
      (e) =>
        add(
          e,
          systemEvent('message.dead', {
            stream: 'PLACET',
            consumer: 'policy',
            seq: 1,
            subject: 's',
            deliveries: 12,
            reason: 'r',
          }),
        ),
    ],
    [
      'a log that was taken and is nowhere',
      /logged it/,
      (e) => without(e.stream, ({ event }) => event?.type === 'action.logged'),
    ],
    ['what the store still owes', /still owes/, ({ unfinished }) => unfinished.push(wire)],
    [
      'what did not come to rest',
      /audit-1 is not ready/,
      ({ restless }) => restless.push('audit-1 is not ready'),
    ],
  ]);
  planted(9, [
    ['an event that is not on the record', /is not on the record/, ({ record }) => record.splice(3, 1)],
    [
      'an event that is recorded twice',
      /on the record twice/,
      ({ record }) => record.push({ ...(record[0] as (typeof record)[number]), index: record.length }),
    ],
    [
      'an event that is recorded otherwise',
      /recorded otherwise/,
      ({ record }) => {
        (record[0] as { body: string }).body = '{}';
      },
    ],
    [
      'a gap',
      /has the index/,
      ({ record }) => {
        (record[2] as { index: number }).index = 7;
      },
    ],
    ['a change that is not on the record', /PLACET_CONFIG:1 .* is not/, ({ record }) => record.pop()],
    ['a record of nothing', /in no stream/, ({ stream }) => stream.pop()],
    [
      'another id',
      /is recorded as x/,
      ({ record }) => {
        (record[0] as { id: string }).id = 'x';
      },
    ],
  ]);
  planted(10, [
    [
      'a service that ended by itself',
      /by itself/,
      ({ processes }) => processes.endedByThemselves.push('policy-1 ended (exit code 1)'),
    ],
    [
      'a failure of its own',
      /500/,
      ({ notes }) => notes.push(told('billing', answer(wire), { error: 'INTERNAL' }, 5, 500)),
    ],
    [
      'a code that is in no table',
      /Service Unavailable/,
      ({ notes }) => notes.push(told('billing', answer(wire), { error: 'Service Unavailable' }, 5, 503)),
    ],
    [
      'a known key that is refused',
      /401/,
      ({ notes }) => notes.push(told('billing', answer(wire), { error: 'INVALID_API_KEY' }, 5, 401)),
    ],
    [
      'a vote that is refused for want of room',
      /STORE_FULL/,
      ({ notes }) =>
        notes.push(
          told(
            'tia@example.com',
            { kind: 'vote', action: wire, vote: 'approve' },
            { error: 'STORE_FULL' },
            5,
            503,
          ),
        ),
    ],
    [
      'a stream that stayed full',
      /had room again 0 times/,
      ({ fills }) => {
        fills.roomAgain = 0;
      },
    ],
  ]);
});
