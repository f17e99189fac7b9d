import type { EventOf } from '@placet/events';
import { describe } from 'vitest';
import type { Evidence } from '../evidence.ts';
import type { Note } from '../notes.ts';
import { emailOf } from '../world.ts';
import { add, dataOf, insertAfter, noteOf, planted, refused, told, without } from './planting.ts';
import { asking } from './sound-case.ts';
import { decidedOf, digestAt, editedBy, excess, neededOf, order } from './sound-events.ts';

const edit = (e: Evidence, n = 0) => dataOf<EventOf<'approval.edited'>['data']>(e, 'approval.edited', n);
const noted = (e: Evidence) => noteOf(e, 'ana', asking.edit(order));
const other = (path: string, to: unknown): Note['asked'] => {
  return { kind: 'edit', action: order, changes: { [path]: to }, digest: digestAt(order, 1) };
};
const second = ({ stream }: Evidence) =>
  stream.find(({ event }) => event?.type === 'approval.needed' && event.data.revision === 2)
    ?.event as EventOf<'approval.needed'>;

describe('a violation is reported by the rule', () => {
  planted(11, [
    [
      'a confirmed edit that is not in the stream',
      /is 0 times in the stream/,
      ({ notes }) => notes.push(told(emailOf('abe'), other('payload.amount', 1), { revision: 2 })),
    ],
    ['an edit that was made twice', /is 2 times in the stream/, (e) => add(e, editedBy(order, 'ana', 1.6))],
    [
      'an edit that was refused',
      /was refused, and is in the stream/,
      (e) => {
        noted(e).told = { status: 409, body: { error: 'STALE_PAYLOAD' } };
      },
    ],
    ['an edit that nobody made', /that nobody made/, (e) => without(e.notes, (one) => one === noted(e))],
    [
      'an edit that is told otherwise',
      /another revision than the edit made/,
      (e) => {
        noted(e).told = { status: 200, body: { revision: 3, payload_digest: digestAt(order, 2) } };
      },
    ],
    [
      'an edit for an agent that accepts none',
      /accepts no edits/,
      (e) => {
        const request = e.stream.find(
          ({ event }) => event?.type === 'action.requested' && event.data.action_id === order,
        )?.event as EventOf<'action.requested'>;
        request.data.accepts = [];
      },
    ],
    [
      'an edit of what nobody may change',
      /changes payload\.of, which nobody may/,
      (e) => {
        edit(e).changes = [{ path: 'payload.of', to: 'me' }];
      },
    ],
    [
      'an edit of somebody who was not asked',
      /tia@example.com changed it without being asked/,
      (e) => {
        edit(e).editor = { id: 'per_tia', email: emailOf('tia') };
      },
    ],
    [
      'an edit of another payload',
      /is of another payload/,
      (e) => {
        edit(e).previous_digest = digestAt(order, 2);
      },
    ],
    [
      'an edit that makes something else',
      /makes another payload than it says/,
      (e) => {
        edit(e).payload = { amount: 1 };
      },
    ],
    [
      'a revision that is left out',
      /is revision 3 of 2/,
      (e) => {
        edit(e).revision = 3;
      },
    ],
    [
      'a number that is left out',
      /edit 1 has the number 2/,
      (e) => {
        edit(e).number = 2;
      },
    ],
    [
      'an edit without the policy’s word',
      /after an edit came approval\.reassigned/,
      (e) => without(e.stream, ({ event }) => event?.type === 'approval.needed' && event.data.revision === 2),
    ],
    [
      'an edit without an end',
      /after an edit came nothing/,
      (e) =>
        without(e.stream, ({ event }) => event?.type === 'action.decided' && event.data.action_id === excess),
    ],
    [
      'people who are asked twice about one change',
      /nothing was changed/,
      (e) => insertAfter(e, 'approval.reassigned', 0, neededOf(order, 3, 2.1)),
    ],
    [
      'people who are asked about what the policy denies',
      /about what the policy denies/,
      (e) => insertAfter(e, 'approval.edited', 1, neededOf(excess, 2, 1.8)),
    ],
    [
      'people who are asked about another payload',
      /about another payload than revision 2/,
      (e) => {
        second(e).data.payload = { amount: 1 };
      },
    ],
    [
      'others who are asked than the policy says',
      /others were asked about revision 2/,
      (e) => {
        const { data } = second(e);
        data.demands = data.demands.map((demand) => ({ ...demand, quorum: 1 }));
      },
    ],
    [
      'what was changed and allowed at once',
      /allowed before it was judged/,
      (e) => {
        const end = e.stream.find(
          ({ event }) => event?.type === 'action.decided' && event.data.action_id === excess,
        );
        if (end) end.event = decidedOf(excess, 'allowed', 'votes', 2, 2);
      },
    ],
    [
      'a change that the policy does not deny',
      /that it does not deny/,
      (e) => {
        const [change] = edit(e, 1).changes;
        if (change) change.to = 700;
      },
    ],
    [
      'an agent that is said not to accept edits',
      /accepts no edits, and it does/,
      ({ notes }) => notes.push(refused('abe', asking.edit(order), 'EDITS_NOT_ACCEPTED', 1.4)),
    ],
    [
      'a path that is said not to be editable',
      /cannot be changed, and it can/,
      ({ notes }) => notes.push(refused('abe', asking.edit(order), 'NOT_EDITABLE', 1.4, 422)),
    ],
    [
      'an editor who is turned away',
      /abe@example.com may do this \(edit\)/,
      ({ notes }) => notes.push(refused('abe', asking.edit(order), 'NOT_ELIGIBLE', 1.1, 403)),
    ],
    [
      'an editor who named the payload of now',
      /named the payload of now \(edit\)/,
      ({ notes }) => notes.push(refused('abe', asking.edit(order), 'STALE_PAYLOAD', 1.1)),
    ],
  ]);
});
