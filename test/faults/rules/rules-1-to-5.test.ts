import { describe } from 'vitest';
import { add, allowed, answer, dataOf, ofType, planted, told, without } from './planting.ts';
import { check } from './sound-case.ts';
import { actionId, decidedOf, drop, executedOf, read, refund, wire } from './sound-events.ts';

describe('a violation is reported by the rule', () => {
  planted(1, [
    [
      'allowed for what the policy denies',
      /policy denies/,
      ({ notes }) => notes.push(told('billing', answer(drop), allowed(drop))),
    ],
    [
      'allowed without a vote',
      /too few people with the role approver/,
      ({ notes }) => notes.push(told('billing', answer(refund), allowed(refund))),
    ],
    [
      'a decision to allow without the second person',
      /role controller/,
      (e) => without(e.stream, ({ event }) => event?.type === 'approval.voted' && event.data.number === 2),
    ],
    [
      'allowed against a rejection',
      /somebody rejected/,
      (e) => {
        dataOf<{ vote: string }>(e, 'approval.voted', 1).vote = 'reject';
      },
    ],
    [
      'allowed for what nobody asked',
      /does not hold it/,
      ({ notes }) => notes.push(told('billing', answer(actionId(9)), allowed(actionId(9)))),
    ],
    [
      'allowed by a vote that came later',
      /role controller, treasurer/,
      (e) => {
        for (const one of e.stream.filter(ofType('approval.voted'))) one.seq += 100;
      },
    ],
  ]);
  planted(2, [
    [
      'an accepted action without a decision',
      /decided 0 times/,
      (e) =>
        without(e.stream, ({ event }) => event?.type === 'action.decided' && event.data.action_id === drop),
    ],
    ['a second decision', /decided 2 times/, (e) => add(e, decidedOf(read, 'denied', 'policy', 2))],
    [
      'an accepted action that the stream does not hold',
      /in the stream 0 times/,
      ({ notes }) => notes.push(told('billing', check(drop), { action_id: actionId(9) })),
    ],
    [
      'two people told differently',
      /told denied, and it is allowed/,
      ({ notes }) => notes.push(told('billing', answer(wire), { action_id: wire, decision: 'denied' })),
    ],
    [
      'a voter told of another decision',
      /told allowed, and it is denied/,
      ({ notes }) =>
        notes.push(
          told(
            'ana@example.com',
            { kind: 'vote', action: refund, vote: 'reject' },
            { error: 'ALREADY_DECIDED', details: { decision: 'allowed' } },
            8,
            409,
          ),
        ),
    ],
    [
      'one key for two actions',
      /the key billing\/billing-1 stood for/,
      ({ notes }) => notes.push(told('billing', check(read), { action_id: drop })),
    ],
  ]);
  planted(3, [
    ['an event that the store lacks', /the store lacks/, ({ outcomes }) => outcomes.pop()],
    [
      'another event than the stream holds',
      /holds another/,
      ({ outcomes }) => {
        (outcomes[0] as { body: string }).body += ' ';
      },
    ],
    [
      'an event that is not in the stream',
      /not in the stream/,
      ({ outcomes }) => outcomes.push({ action: read, agent: 'billing', seq: 99, body: '' }),
    ],
    [
      'an event that is stored twice',
      /twice/,
      ({ outcomes }) => outcomes.push({ ...(outcomes[0] as (typeof outcomes)[number]) }),
    ],
  ]);
  planted(4, [
    [
      'a decision about another payload',
      /digests differ/,
      (e) => {
        dataOf<{ payload_digest: string }>(e, 'action.decided').payload_digest = `sha256:${'b'.repeat(64)}`;
      },
    ],
    [
      'a request that is not what the agent sent',
      /digests differ/,
      ({ notes }) => {
        for (const { asked } of notes)
          if (asked.kind === 'check') asked.request = { ...asked.request, payload: { n: 2 } };
      },
    ],
    [
      'a proof by a key that nobody published',
      /proof does not hold/,
      (e) => {
        e.keys = { keys: [] };
      },
    ],
    [
      'an answer with another proof',
      /another proof/,
      ({ notes }) => notes.push(told('billing', answer(wire), { ...allowed(wire), proof: 'x' })),
    ],
    [
      'an answer with a foreign digest',
      /digest of what nobody asked for/,
      ({ notes }) => notes.push(told('billing', answer(wire), { ...allowed(wire), payload_digest: 'x' })),
    ],
  ]);
  planted(5, [
    [
      'a second accepted report',
      /2 reports/,
      ({ notes }) => notes.push(told('billing', { kind: 'execution', action: read }, {}, 12, 201)),
    ],
    [
      'a confirmed report that is not in the stream',
      /not in the stream/,
      ({ notes }) => notes.push(told('billing', { kind: 'execution', action: wire }, {}, 12, 201)),
    ],
    ['two executions', /executed 2 times/, (e) => add(e, executedOf(read, 'x'))],
    [
      'allowed after the report',
      /after its end/,
      ({ notes }) => notes.push(told('billing', check(read), allowed(read), 12)),
    ],
    [
      'allowed after it was refused as used',
      /after its end/,
      (e) => {
        without(
          e.notes,
          ({ asked, told: was }) => asked.kind === 'execution' && 'status' in was && was.status === 201,
        );
        e.notes.push(told('billing', answer(read), allowed(read), 15));
      },
    ],
    [
      'allowed after its time',
      /told that it is allowed, after 2026/,
      ({ notes }) => notes.push(told('billing', answer(wire), allowed(wire), 31)),
    ],
  ]);
});
