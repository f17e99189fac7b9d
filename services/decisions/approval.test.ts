import type { EventData, PlacetEvent, VoteQuestion } from '@placet/events';
import { describe, expect, test } from 'vitest';
import { decide } from './approval.ts';
import { type Command, stateOf } from './state.ts';
import {
  actionId,
  at,
  decided,
  digest,
  edited,
  needed,
  reassigned,
  requested,
  voted,
} from './test/events.ts';

const given = (...events: PlacetEvent[]) => ({
  when: (command: Command) => decide(command, stateOf(events)),
});

type Vote = Partial<Omit<VoteQuestion, 'voter'>> & { by?: string; roles?: string[]; now?: Date };
function vote({ by = 'ann', roles = ['approver'], now = at(2), ...rest }: Vote = {}): Command {
  const voter = { id: by, email: `${by}@example.com`, roles };
  const question: VoteQuestion = { action_id: actionId(), vote: 'approve', channel: 'api', voter, ...rest };
  return { kind: 'vote', question, request: `a request of ${by}`, now };
}
const look = (seconds: number): Command => ({ kind: 'look', now: at(seconds), sweepAfterMs: 300_000 });

const demand = (...approvers: EventData<'approval.needed'>['demands'][number]['approvers']) => ({
  scope: 'default',
  rule: null,
  approvers,
  quorum: 1,
});

describe('a vote', () => {
  test('of an approver is stored with what made its voter eligible', () => {
    expect(given(requested(), needed()).when(vote({ comment: 'fine' }))).toMatchObject({
      ruling: 'append',
      draft: {
        type: 'approval.voted',
        data: { vote: 'approve', comment: 'fine', eligible_as: [{ as: ['role:approver'] }] },
      },
    });
  });

  test.each([
    ['an unknown action', [], 'NOT_FOUND'],
    ['an action that waits for its policy', [requested()], 'NOT_DECIDED'],
    ['a decided action', [requested(), needed(), decided()], 'ALREADY_DECIDED'],
  ] as const)('on %s is refused', (_, events, code) => {
    expect(given(...events).when(vote())).toMatchObject({ ruling: 'refused', code });
  });

  test('for a payload that is no longer the one is refused', () => {
    const stale = vote({ payload_digest: `sha256:${'b'.repeat(64)}` });
    expect(given(requested(), needed()).when(stale)).toMatchObject({ code: 'STALE_PAYLOAD' });
    expect(given(requested(), needed()).when(vote({ payload_digest: digest }))).toMatchObject({
      ruling: 'append',
    });
  });

  test.each([
    ['role:manager', demand({ kind: 'role', role: 'manager' }), ['manager'], 'role:manager'],
    ['role:manager', demand({ kind: 'role', role: 'manager' }), ['approver'], null],
    ['#approvals', demand({ kind: 'channel', channel: 'approvals' }), ['approver'], '#approvals'],
    ['#approvals', demand({ kind: 'channel', channel: 'approvals' }), ['manager'], null],
    ['user:Ann@…', demand({ kind: 'user', email: 'Ann@example.com' }), [], 'user:Ann@example.com'],
    ['user:bob@…', demand({ kind: 'user', email: 'bob@example.com' }), ['approver', 'admin'], null],
    ['nobody in particular', demand(), ['approver'], 'role:approver'],
    ['nobody in particular', demand(), ['admin'], null],
  ])('where %s is asked, by somebody who is %j', (_, wanted, roles, as) => {
    const ruling = given(requested(), needed({ demands: [wanted] })).when(vote({ roles }));
    if (as === null) expect(ruling).toMatchObject({ ruling: 'refused', code: 'NOT_ELIGIBLE' });
    else expect(ruling).toMatchObject({ draft: { data: { eligible_as: [{ as: [as] }] } } });
  });

  test('sent again by the same person has had its effect', () => {
    expect(given(requested(), needed(), voted(), decided()).when(vote())).toEqual({ ruling: 'settled' });
  });

  test('sent again while it is held is stored again only when its voter may vote for more', () => {
    const demands = [demand({ kind: 'role', role: 'finance' }), demand({ kind: 'role', role: 'ops' })];
    const held = [requested(), needed({ demands }), voted({ by: 'ann', eligible: ['role:finance', null] })];
    const again = (...roles: string[]) => given(...held).when(vote({ by: 'ann', roles }));
    expect(again('finance')).toEqual({ ruling: 'settled' });
    expect(again('finance', 'ops')).toMatchObject({
      draft: { data: { number: 2, eligible_as: [{ as: ['role:finance'] }, { as: ['role:ops'] }] } },
    });
    expect(again()).toMatchObject({ ruling: 'refused', code: 'NOT_ELIGIBLE' });
    const stale = vote({ by: 'ann', roles: ['finance'], payload_digest: `sha256:${'b'.repeat(64)}` });
    expect(given(...held).when(stale)).toMatchObject({ ruling: 'refused', code: 'STALE_PAYLOAD' });
  });

  test('that was clicked before the same person said otherwise does not replace it', () => {
    const demands = [{ ...demand(), quorum: 2 }];
    const held = [requested(), needed({ demands }), voted({ by: 'ann', now: at(20) })];
    const late = (seconds: number, more: Vote = {}) =>
      given(...held).when(
        vote({ by: 'ann', vote: 'reject', clicked_at: at(seconds).toISOString(), now: at(30), ...more }),
      );
    expect(late(10)).toMatchObject({ ruling: 'refused', code: 'REVISION_CONFLICT' });
    // Clocks differ by seconds.
    expect(late(16)).toMatchObject({ ruling: 'append' });
    expect(late(10, { vote: 'approve' })).toEqual({ ruling: 'settled' });
    expect(late(10, { by: 'bob' })).toMatchObject({ ruling: 'append' });
    const changed = [...held, needed({ demands, revision: 3, now: at(25) })];
    const before = vote({ payload_digest: digest, clicked_at: at(10).toISOString(), now: at(30) });
    expect(given(...changed).when(before)).toMatchObject({ code: 'REVISION_CONFLICT' });
  });

  test('on an action whose decision is owed brings the decision first', () => {
    expect(given(requested(), needed(), voted()).when(vote({ by: 'bob', vote: 'reject' }))).toMatchObject({
      draft: { type: 'action.decided', draft: { decision: 'allowed', deciders: ['person:ann@example.com'] } },
    });
  });
});

describe('what the policy wants of votes', () => {
  test.each([
    ['never', 'reject', undefined, true],
    ['on_reject', 'approve', undefined, true],
    ['on_reject', 'reject', undefined, false],
    ['on_reject', 'reject', 'too much', true],
    ['always', 'approve', undefined, false],
    ['always', 'approve', 'fine', true],
  ] as const)('a reason %s: %s with %s', (require_reason, vote_, comment, isTaken) => {
    const asked = needed();
    const held = { ...asked, data: { ...asked.data, require_reason } };
    const ruling = given(requested(), held).when(
      vote({ vote: vote_, ...(comment === undefined ? {} : { comment }) }),
    );
    expect(ruling).toMatchObject(
      isTaken ? { ruling: 'append' } : { ruling: 'refused', code: 'REASON_REQUIRED' },
    );
  });

  test.each([
    ['inbox', true],
    ['slack', true],
    ['api', false],
    ['email', false],
  ] as const)('decided in the inbox or in Slack, and somebody votes by %s', (channel, isTaken) => {
    const asked = needed();
    const held: typeof asked = { ...asked, data: { ...asked.data, only_in: ['inbox', 'slack'] } };
    for (const vote_ of ['approve', 'reject'] as const) {
      const ruling = given(requested(), held).when(vote({ vote: vote_, channel }));
      expect(ruling).toMatchObject(
        isTaken ? { ruling: 'append' } : { ruling: 'refused', code: 'WRONG_CHANNEL' },
      );
    }
  });

  test('the owner does not vote where the demand is separate, whatever the spelling', () => {
    const asked = needed({ demands: [{ ...demand(), separate: true }] });
    const held = { ...asked, data: { ...asked.data, owner: 'Ann@Example.com' } };
    expect(given(requested(), held).when(vote({ by: 'ann' }))).toMatchObject({ code: 'NOT_ELIGIBLE' });
    expect(given(requested(), held).when(vote({ by: 'bob' }))).toMatchObject({ ruling: 'append' });
  });

  test('on whose behalf the agent asks does not vote there either, and nobody else is kept from it', () => {
    const asked = needed({ demands: [{ ...demand(), separate: true }] });
    const held = (on_behalf_of: string) => ({ ...asked, data: { ...asked.data, on_behalf_of } });
    const ann = vote({ by: 'ann' });
    expect(given(requested(), held(' ANN@example.com')).when(ann)).toMatchObject({ code: 'NOT_ELIGIBLE' });
    expect(given(requested(), held('bob@example.com')).when(ann)).toMatchObject({ ruling: 'append' });
    const free = needed();
    const together = { ...free, data: { ...free.data, on_behalf_of: 'ann@example.com' } };
    expect(given(requested(), together).when(ann)).toMatchObject({ ruling: 'append' });
  });

  test('where nobody decides in time it is allowed only if that is written out', () => {
    const asked = needed();
    const held = { ...asked, data: { ...asked.data, on_timeout: 'allow' as const } };
    expect(given(requested(), held).when(look(60))).toMatchObject({
      draft: { draft: { decision: 'allowed', cause: 'timeout', deciders: ['timeout'] } },
    });
    expect(given(requested(), held, voted({ vote: 'reject' })).when(look(60))).toMatchObject({
      draft: { draft: { decision: 'denied', cause: 'votes' } },
    });
    expect(given(requested(), asked).when(look(60))).toMatchObject({
      draft: { draft: { decision: 'denied' } },
    });
  });
});

describe('a vote after the deadline', () => {
  test('does not count: the time that has passed comes first', () => {
    expect(given(requested(), needed()).when(vote({ now: at(60) }))).toMatchObject({
      draft: { type: 'action.decided', draft: { decision: 'denied', cause: 'timeout' } },
    });
    expect(given(requested(), needed()).when(vote({ now: at(59) }))).toMatchObject({
      draft: { type: 'approval.voted' },
    });
  });

  test('does not take back what votes in time have decided', () => {
    expect(given(requested(), needed(), voted()).when(vote({ by: 'bob', now: at(61) }))).toMatchObject({
      draft: { type: 'action.decided', draft: { decision: 'allowed' } },
    });
  });
});

describe('the outcome', () => {
  test('one approval of an eligible person allows', () => {
    expect(given(requested(), needed(), voted({ comment: 'go' })).when(look(2))).toMatchObject({
      draft: { draft: { decision: 'allowed', cause: 'votes', reason: 'go' } },
    });
  });

  test('one rejection denies, and its comment is the reason', () => {
    const rejected = voted({ vote: 'reject', comment: 'too much' });
    expect(given(requested(), needed(), rejected).when(look(2))).toMatchObject({
      draft: { draft: { decision: 'denied', cause: 'votes', reason: 'too much' } },
    });
  });

  test('every demand has to be met', () => {
    const demands = [demand({ kind: 'role', role: 'cfo' }), demand()];
    const held = [requested(), needed({ demands })];
    const cfo = voted({ by: 'cleo', eligible: ['role:cfo', null] });
    const approver = voted({ by: 'ann', eligible: [null, 'role:approver'] });
    expect(given(...held, cfo).when(look(2))).toEqual({ ruling: 'settled' });
    expect(given(...held, approver).when(look(2))).toEqual({ ruling: 'settled' });
    expect(given(...held, cfo, approver).when(look(2))).toMatchObject({
      draft: { draft: { decision: 'allowed' } },
    });
  });

  test('a quorum counts people, not votes', () => {
    const held = [requested(), needed({ demands: [{ ...demand(), quorum: 2 }] })];
    expect(given(...held, voted(), voted()).when(look(2))).toEqual({ ruling: 'settled' });
    expect(given(...held, voted(), voted({ by: 'bob' })).when(look(2))).toMatchObject({ ruling: 'append' });
  });
});

describe('the clock', () => {
  test.each([
    ['before the deadline', 59, false],
    ['at the deadline', 60, true],
    ['after it', 61, true],
  ])('%s', (_, seconds, denies) => {
    const ruling = given(requested(), needed()).when(look(seconds));
    if (denies) expect(ruling).toMatchObject({ draft: { draft: { decision: 'denied', cause: 'timeout' } } });
    else expect(ruling).toEqual({ ruling: 'settled' });
  });

  test('a request without a verdict is denied when its time is over', () => {
    expect(given(requested()).when(look(299))).toEqual({ ruling: 'settled' });
    expect(given(requested()).when(look(300))).toMatchObject({
      draft: { draft: { decision: 'denied', cause: 'evaluation_failed' } },
    });
  });

  test('a decided action stays as it is', () => {
    expect(given(requested(), needed(), decided()).when(look(9999))).toEqual({ ruling: 'settled' });
  });
});

describe('what a person asked for, whose answer was lost and is asked for again', () => {
  const changed = `sha256:${'b'.repeat(64)}`;
  const judgedAnew = needed({ revision: 2, digest: changed });
  const again = { request: 'request of ann', now: at(3) };
  const takenBack = reassigned({ number: 2, approvers: [] });
  const voter = { id: 'ann', email: 'ann@example.com', roles: ['approver'] };
  const question = { action_id: actionId(), channel: 'api' as const, voter, payload_digest: digest };
  const edit: Command = {
    ...again,
    kind: 'edit',
    question: { ...question, changes: { 'payload.amount': 4 } },
    sweepAfterMs: 300_000,
  };
  const approvers = [{ kind: 'user' as const, email: 'bob@example.com' }];
  const handOn: Command = { ...again, kind: 'reassign', question: { ...question, approvers } };
  const yes: Command = { ...again, kind: 'vote', question: { ...question, vote: 'approve' } };

  test.each<[string, Command, PlacetEvent[]]>([
    ['a change that the policy has judged since', edit, [edited({ digest: changed }), judgedAnew]],
    ['a change, and how that ended', edit, [edited({ digest: changed }), judgedAnew, decided()]],
    ['a vote on what was changed since', yes, [voted(), edited({ by: 'bob' }), judgedAnew]],
    [
      'a handing on that was taken back since',
      handOn,
      [reassigned(), { ...takenBack, data: { ...takenBack.data, request: 'another' } }],
    ],
    ['a handing on, and how that ended', handOn, [reassigned(), decided()]],
  ])('%s: it was done, and is not refused', (_, command, events) => {
    expect(given(requested(), needed(), ...events).when(command)).toEqual({ ruling: 'settled' });
  });
});

describe('a withdrawal', () => {
  test.each([
    ['before the verdict', [requested()]],
    ['while people are asked', [requested(), needed()]],
  ])('%s denies', (_, events) => {
    expect(given(...events).when({ kind: 'withdraw' })).toMatchObject({
      draft: { draft: { decision: 'denied', cause: 'withdrawn' } },
    });
  });

  test('twice is once, and after a decision it is refused', () => {
    const withdrawn = decided({ cause: 'withdrawn' });
    expect(given(requested(), withdrawn).when({ kind: 'withdraw' })).toEqual({ ruling: 'settled' });
    expect(given(requested(), decided()).when({ kind: 'withdraw' })).toMatchObject({
      code: 'ALREADY_DECIDED',
    });
  });
});

describe('a cancellation', () => {
  const cancel: Command = {
    kind: 'cancel',
    by: { id: 'p', email: 'admin@example.com' },
    reason: 'The agent is being replaced.',
  };

  test.each([
    ['before the verdict', [requested()]],
    ['while people are asked, and one has voted', [requested(), needed(), voted({ vote: 'approve' })]],
  ])('%s denies, by whom and why', (_, events) => {
    const asked = needed({ demands: [{ ...demand(), quorum: 2 }] });
    const known = events.map((event) => (event.type === 'approval.needed' ? asked : event));
    expect(given(...known).when(cancel)).toMatchObject({
      draft: {
        draft: {
          decision: 'denied',
          cause: 'cancelled',
          reason: 'Cancelled by admin@example.com: The agent is being replaced.',
          deciders: ['person:admin@example.com'],
        },
      },
    });
  });

  test('twice is once; after a decision, or of nothing, it is refused', () => {
    expect(given(requested(), decided({ cause: 'cancelled' })).when(cancel)).toEqual({ ruling: 'settled' });
    expect(given(requested(), decided()).when(cancel)).toMatchObject({ code: 'ALREADY_DECIDED' });
    expect(given().when(cancel)).toMatchObject({ code: 'ACTION_NOT_FOUND' });
  });
});

test('a history that holds what we did not write is denied', () => {
  expect(given(requested(), needed(), voted()).when({ kind: 'forged' })).toMatchObject({
    draft: { draft: { decision: 'denied', cause: 'forged' } },
  });
  expect(given().when({ kind: 'forged' })).toEqual({ ruling: 'settled' });
  expect(given(requested(), decided()).when({ kind: 'forged' })).toEqual({ ruling: 'settled' });
});
