import type { EventOf } from '@placet/events';
import { describe } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { emailOf } from '../world.ts';
import {
  allowed,
  answer,
  dataOf,
  insertAfter,
  noteOf,
  ofType,
  planted,
  refused,
  told,
  without,
} from './planting.ts';
import { asking } from './sound-case.ts';
import { digestAt, excess, neededOf, order, restart, wire } from './sound-events.ts';

type Voted = EventOf<'approval.voted'>['data'];
/** Of all votes in the stream's order: ben's that is void, sub's and abe's on the order, oda's and lea's on the restart. */
const [bens, subs, abes, odas, leas] = [2, 3, 4, 5, 6] as [number, number, number, number, number];
const vote = (e: Evidence, n: number) => dataOf<Voted>(e, 'approval.voted', n);
const hand = (e: Evidence) => dataOf<EventOf<'approval.reassigned'>['data']>(e, 'approval.reassigned');
const voteBy = (e: Evidence, n: number, name: string) => {
  vote(e, n).voter = { id: `per_${name}`, email: emailOf(name) };
};
const move = ({ stream }: Evidence, type: string, n: number, seq: number) => {
  (stream.filter(ofType(type))[n] as Evidence['stream'][number]).seq = seq;
};
const seqOf = ({ stream }: Evidence, type: string, n: number) => stream.filter(ofType(type))[n]?.seq ?? 0;
const decisionOn = (e: Evidence, action: string) =>
  e.stream.find(({ event }) => event?.type === 'action.decided' && event.data.action_id === action)
    ?.event as EventOf<'action.decided'>;
const replacing = (e: Evidence) => {
  const data = dataOf<EventOf<'approval.escalated'>['data']>(e, 'approval.escalated');
  data.approvers = [{ kind: 'role', role: 'manager' }];
  data.replace = true;
};

describe('a violation is reported by the rule', () => {
  planted(1, [
    [
      'a vote from before the change that counts',
      /too few people with the role approver/,
      (e) =>
        without(e.stream, ({ event }) => event?.type === 'approval.voted' && event.data === vote(e, subs)),
    ],
    ['a vote of who has handed on', /too few people with the role approver/, (e) => voteBy(e, abes, 'ben')],
    ['a vote of who has changed it', /too few people with the role approver/, (e) => voteBy(e, abes, 'ana')],
    [
      'a place that counts twice',
      /too few people with the role approver/,
      (e) => {
        hand(e).approvers.push({ kind: 'user', email: emailOf('sue') });
        voteBy(e, abes, 'sue');
        vote(e, abes).eligible_as = vote(e, subs).eligible_as;
      },
    ],
    [
      'a vote that was handed on after it was cast',
      /too few people with the role approver/,
      (e) => {
        voteBy(e, subs, 'ben');
        vote(e, subs).eligible_as = vote(e, abes).eligible_as;
        move(e, 'approval.reassigned', 0, seqOf(e, 'approval.voted', abes) + 0.5);
      },
    ],
    [
      'a vote from before the escalation',
      /too few people with the role oncall/,
      (e) => move(e, 'approval.escalated', 0, seqOf(e, 'approval.voted', leas) + 0.5),
    ],
    [
      'a vote of who was replaced',
      /too few people with the role manager/,
      (e) => {
        replacing(e);
        move(e, 'approval.escalated', 0, seqOf(e, 'approval.voted', odas) - 0.5);
      },
    ],
    [
      'allowed what the policy has not judged',
      /has not judged what it was changed to/,
      ({ notes }) => notes.push(told('billing', answer(excess), allowed(excess))),
    ],
    [
      'allowed what the policy denies since it was changed',
      /denies what it was changed to/,
      (e) => {
        insertAfter(e, 'approval.edited', 1, neededOf(excess, 2, 1.8));
        e.notes.push(told('billing', answer(excess), allowed(excess)));
      },
    ],
  ]);
  planted(3, [
    [
      'a comment that the store lacks',
      /lacks its approval\.commented/,
      ({ outcomes }) => without(outcomes, ({ body }) => body.includes('"approval.commented"')),
    ],
    [
      'a log that the store lacks',
      /lacks its action\.logged/,
      ({ outcomes }) => without(outcomes, ({ body }) => body.includes('"action.logged"')),
    ],
  ]);
  planted(4, [
    [
      'a decision on what it was before it was changed',
      /digests differ/,
      (e) => {
        decisionOn(e, order).data.payload_digest = digestAt(order, 1);
      },
    ],
    [
      'a denial by the policy of what it was before it was changed',
      /digests differ/,
      (e) => {
        decisionOn(e, excess).data.payload_digest = digestAt(excess, 1);
      },
    ],
    [
      'a decision on another revision',
      /revision 3 of 2 was decided/,
      (e) => {
        decisionOn(e, order).data.revision = 3;
      },
    ],
    [
      'a changed payload for an agent that accepts none',
      /is allowed that it did not accept/,
      ({ notes }) => {
        for (const { asked } of notes)
          if (asked.kind === 'check') asked.request = { ...asked.request, accepts: [] };
      },
    ],
    [
      'an agent that is not told what to run',
      /to run another payload/,
      (e) => e.notes.push(told('billing', answer(order), { ...allowed(order) })),
    ],
    [
      'an agent that is told to run something else',
      /to run another payload/,
      (e) => e.notes.push(told('billing', answer(order), { ...allowed(order), payload: { amount: 1 } })),
    ],
    [
      'a payload that nobody had changed',
      /nobody had changed/,
      (e) => e.notes.push(told('billing', answer(wire), { ...allowed(wire), payload: { amount: 5 } })),
    ],
    [
      'a payload that is shown and is none',
      /was shown a payload/,
      (e) => {
        const body = { revision: 2, payload: { amount: 1 }, payload_digest: digestAt(order, 2) };
        e.notes.push(told(emailOf('abe'), { kind: 'approval', action: order }, body));
      },
    ],
  ]);
  planted(6, [
    ['a vote of who has handed on', /asked no more/, (e) => voteBy(e, abes, 'ben')],
    ['a vote of who has changed it', /asked no more/, (e) => voteBy(e, abes, 'ana')],
    [
      'a vote of who is asked later',
      /lea@example.com voted without being asked/,
      (e) => move(e, 'approval.escalated', 0, seqOf(e, 'approval.voted', leas) + 0.5),
    ],
    ['a vote of who was replaced', /lea@example.com voted without being asked/, (e) => replacing(e)],
    [
      'a vote in a place whose owner was replaced',
      /sub@example.com voted without being asked/,
      (e) => {
        replacing(e);
        const handed = hand(e);
        handed.action_id = restart;
        handed.place = 'per_oda';
        handed.by = { id: 'per_oda', email: emailOf('oda') };
        move(e, 'approval.reassigned', 0, seqOf(e, 'approval.reminded', 0) + 0.5);
        voteBy(e, leas, 'sub');
        vote(e, leas).eligible_as = [{ as: ['role:oncall'], in_place_of: 'per_oda' }];
      },
    ],
    [
      'a vote on another payload',
      /is about another payload/,
      (e) => {
        vote(e, subs).payload_digest = digestAt(order, 1);
      },
    ],
    [
      'a confirmed vote on a payload that is not in the stream',
      /confirmed, and is not/,
      (e) => e.notes.push(told(emailOf('ben'), asking.vote(order, 2), {})),
    ],
    [
      'a vote that names another payload than the one that it counts for',
      /that nobody cast/,
      (e) => {
        noteOf(e, 'sub', asking.vote(order, 2)).asked = asking.vote(order, 1);
      },
    ],
    [
      'a place that is not the voter’s',
      /took the place of abe@example.com, and had that of ben/,
      (e) => {
        vote(e, subs).eligible_as = [{ as: ['role:approver'], in_place_of: 'per_abe' }];
      },
    ],
    [
      'a place that is not counted',
      /took the place of nobody/,
      (e) => {
        vote(e, subs).eligible_as = [null];
      },
    ],
    [
      'a vote while the policy judges',
      /had not judged/,
      (e) => move(e, 'approval.voted', bens, seqOf(e, 'approval.edited', 0) + 0.5),
    ],
    [
      'a voter who named the payload of now',
      /named the payload of now/,
      ({ notes }) => notes.push(refused('abe', asking.vote(order, 2), 'STALE_PAYLOAD', 2.1)),
    ],
    [
      'a voter who named nothing',
      /named the payload of now/,
      ({ notes }) => notes.push(refused('abe', asking.vote(order), 'STALE_PAYLOAD', 1.1)),
    ],
    [
      'a judgement that is not going on',
      /that the policy judges a change/,
      ({ notes }) => notes.push(refused('abe', asking.vote(order), 'BEING_JUDGED', 2.1)),
    ],
    [
      'somebody turned away to whom a place was handed',
      /sub@example.com may do this/,
      ({ notes }) => notes.push(refused('sub', asking.vote(order), 'NOT_ELIGIBLE', 2.4, 403)),
    ],
    [
      'somebody turned away who is asked beside others',
      /lou@example.com may do this/,
      ({ notes }) => notes.push(refused('lou', asking.vote(restart), 'NOT_ELIGIBLE', 2.6, 403)),
    ],
  ]);
  planted(8, [
    [
      'a comment that was taken and is nowhere',
      /comment was taken/,
      (e) => without(e.stream, ofType('approval.commented')),
    ],
    [
      'a change that was given up too early',
      /too early/,
      (e) => {
        decisionOn(e, excess).data.cause = 'evaluation_failed';
      },
    ],
  ]);
  planted(10, [
    [
      'an edit that is refused for another reason',
      /was refused \(edit\) with 422/,
      ({ notes }) => notes.push(refused('abe', asking.edit(order), 'VALIDATION_ERROR', 1.4, 422)),
    ],
    [
      'a look that is refused',
      /was refused \(approval\) with 404/,
      ({ notes }) => notes.push(refused('abe', { kind: 'approval', action: order }, 'NOT_FOUND', 2, 404)),
    ],
  ]);
  planted(2, [
    [
      'a voter who is told of a decision that is none',
      /told denied, and it is allowed/,
      ({ notes }) => notes.push(told(emailOf('abe'), asking.edit(order), { decision: 'denied' })),
    ],
    [
      'a second decision of what nobody heard of',
      /decided 2 times/,
      (e) => {
        e.notes = [];
        e.stream.push({
          ...(e.stream.find(ofType('action.decided')) as Evidence['stream'][number]),
          seq: 99,
        });
      },
    ],
  ]);
});
