import type { EventOf } from '@placet/events';
import { describe } from 'vitest';
import type { Evidence } from '../evidence.ts';
import { emailOf } from '../world.ts';
import { add, dataOf, insertAfter, noteOf, ofType, planted, refused, told, without } from './planting.ts';
import { asking } from './sound-case.ts';
import { at, escalatedOf, order, reassignedBy, remindedOf, restart } from './sound-events.ts';

const hand = (e: Evidence) => dataOf<EventOf<'approval.reassigned'>['data']>(e, 'approval.reassigned');
const noted = (e: Evidence) => noteOf(e, 'ben', asking.handOn(order, 'sub'));
const escalation = (e: Evidence) => dataOf<EventOf<'approval.escalated'>['data']>(e, 'approval.escalated');
const timeOf = ({ stream }: Evidence, type: string, seconds: number) => {
  const one = stream.find(ofType(type))?.event;
  if (one) one.time = at(seconds).toISOString();
};

describe('a violation is reported by the rule', () => {
  planted(12, [
    [
      'a confirmed reassignment that is not in the stream',
      /confirmed, and is not/,
      ({ notes }) => notes.push(told(emailOf('abe'), asking.handOn(order, 'sue'), {})),
    ],
    [
      'a reassignment that was refused',
      /was refused, and is in the stream/,
      (e) => {
        noted(e).told = { status: 403, body: { error: 'NOT_ELIGIBLE' } };
      },
    ],
    [
      'a reassignment that nobody asked for',
      /that nobody asked for/,
      (e) => without(e.notes, (one) => one === noted(e)),
    ],
    [
      'a place that is not the giver’s',
      /handed on the place of abe@example.com, which is not theirs/,
      (e) => {
        hand(e).place = 'per_abe';
      },
    ],
    [
      'a place that is nobody’s',
      /handed on the place of per_x/,
      (e) => {
        hand(e).place = 'per_x';
      },
    ],
    [
      'a reassignment by who has changed it',
      /ana@example.com handed on the place of ana@example.com, which is not theirs/,
      (e) => {
        hand(e).by = { id: 'per_ana', email: emailOf('ana') };
        hand(e).place = 'per_ana';
      },
    ],
    [
      'a reassignment after the decision',
      /handed it on after the decision/,
      (e) => add(e, reassignedBy(order, 'abe', 'sue', 4, 2)),
    ],
    [
      'a reassignment while the policy judges',
      /handed on what the policy had not judged/,
      (e) => insertAfter(e, 'approval.edited', 0, reassignedBy(order, 'abe', 'sue', 1.6, 2)),
    ],
    [
      'a number that is left out',
      /reassignment 1 has the number 2/,
      (e) => {
        hand(e).number = 2;
      },
    ],
    [
      'a giver who is turned away',
      /may do this \(reassignment\)/,
      ({ notes }) => notes.push(refused('abe', asking.handOn(order, 'sue'), 'NOT_ELIGIBLE', 2.1, 403)),
    ],
    [
      'somebody who may not take a place back',
      /may do this \(reassignment\)/,
      ({ notes }) => notes.push(refused('ben', asking.handOn(order, 'ben'), 'NOT_ELIGIBLE', 2.4, 403)),
    ],
  ]);
  planted(13, [
    [
      'an escalation that happens twice',
      /its step 1 \(approval\.escalated\) was taken again/,
      (e) => insertAfter(e, 'approval.escalated', 0, escalatedOf(restart, 1, 'lead', 2.2, 2)),
    ],
    [
      'an escalation that happens twice under another number',
      /its step 2 \(approval\.escalated\) was taken again/,
      (e) => insertAfter(e, 'approval.escalated', 0, escalatedOf(restart, 2, 'lead', 2.2, 2)),
    ],
    [
      'a reminder that happens twice',
      /its step 0 \(approval\.reminded\) was taken again/,
      (e) => insertAfter(e, 'approval.escalated', 0, remindedOf(restart, 0, 0.2, 2.2, 2)),
    ],
    [
      'a step that is left out',
      /before the one that comes first/,
      (e) => without(e.stream, ofType('approval.reminded')),
    ],
    [
      'a reminder that comes too early',
      /approval\.reminded\) was taken 300 ms too early/,
      (e) => timeOf(e, 'approval.reminded', 1.5),
    ],
    [
      'an escalation that comes too early',
      /approval\.escalated\) was taken 500 ms too early/,
      (e) => timeOf(e, 'approval.escalated', 1.5),
    ],
    [
      'an escalation to others than the policy says',
      /is none of the policy's/,
      (e) => {
        escalation(e).approvers = [{ kind: 'role', role: 'visitor' }];
      },
    ],
    [
      'an escalation that replaces where it should not',
      /is none of the policy's/,
      (e) => {
        escalation(e).replace = true;
      },
    ],
    [
      'a reminder that the policy does not know',
      /is none of the policy's/,
      (e) => {
        dataOf<EventOf<'approval.reminded'>['data']>(e, 'approval.reminded').share = 0.3;
      },
    ],
    [
      'a step after the decision',
      /came after the decision/,
      (e) => add(e, escalatedOf(restart, 2, 'manager', 4, 2)),
    ],
    [
      'a step while the policy judges',
      /was taken while the policy judged/,
      (e) => insertAfter(e, 'approval.edited', 0, remindedOf(order, 0, 0.2, 1.6)),
    ],
    [
      'a number that is left out',
      /approval\.reminded\) has the number 2/,
      (e) => {
        dataOf<EventOf<'approval.reminded'>['data']>(e, 'approval.reminded').number = 2;
      },
    ],
  ]);
});
