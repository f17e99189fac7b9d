import { eventually } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { alarmKinds, sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});
const approve = { vote: 'approve' };
const hand = (person: Cast['fay'], id: string, ...to: string[]) =>
  person.post(`/v1/approvals/${id}/reassignments`, { to, comment: 'I am away.' });

describe('an approver who hands it on', () => {
  test('lets another vote in their place, who sees it in their list', async () => {
    const id = await asked(shared(), 'pay.two');
    expect(await hand(cast.fay, id, 'user:out@example.com')).toMatchObject({
      status: 200,
      body: { approvers: ['user:out@example.com'] },
    });
    expect((await cast.fay.vote(id, approve)).body).toMatchObject({
      error: 'NOT_ELIGIBLE',
      message: expect.stringContaining('Hand it to yourself to take it back'),
    });
    const waiting = async (person: Cast['fay']) =>
      (await person.get('/v1/approvals?for=me')).body.approvals.map((one: { id: string }) => one.id);
    expect(await waiting(cast.fay)).not.toContain(id);
    await eventually(async () => expect(await waiting(cast.out)).toContain(id));
    expect((await cast.fay.get(`/v1/approvals/${id}`)).body.may_vote).toBe(false);
    expect((await cast.out.get(`/v1/approvals/${id}`)).body.may_vote).toBe(true);
    await cast.out.vote(id, approve);
    expect((await cast.finn.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('does not become two: of all to whom it was handed one is counted', async () => {
    const id = await asked(shared(), 'pay.two');
    await hand(cast.fay, id, 'user:out@example.com', 'user:sam@example.com');
    await cast.out.vote(id, approve);
    expect((await cast.sam.vote(id, approve)).body.decision).toBe('pending');
    expect((await shared().agent.answer(id)).body.approval.demands).toMatchObject([{ met: 1 }]);
    expect((await cast.finn.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('takes back a vote that was cast before, and can take back the place', async () => {
    const id = await asked(shared(), 'pay.two');
    const counted = async () =>
      (await shared().admin.get(`/v1/approvals/${id}`)).body.votes.map(
        (vote: { by: string; counts: boolean }) => [vote.by, vote.counts],
      );
    await cast.fay.vote(id, approve);
    expect(await counted()).toEqual([['fay@example.com', true]]);
    await hand(cast.fay, id, 'user:out@example.com');
    expect(await counted()).toEqual([['fay@example.com', false]]);
    expect((await cast.finn.vote(id, approve)).body.decision).toBe('pending');
    await cast.out.vote(id, { vote: 'approve' });
    // The last vote has decided.
    expect((await shared().agent.answer(id)).body.decision).toBe('allowed');
    const other = await asked(shared(), 'pay.two');
    await hand(cast.fay, other, 'user:out@example.com');
    await hand(cast.fay, other, 'user:fay@example.com');
    expect((await cast.out.vote(other, approve)).body.error).toBe('NOT_ELIGIBLE');
    await cast.fay.vote(other, approve);
    expect((await cast.finn.vote(other, approve)).body.decision).toBe('allowed');
  });

  test('brings no vote back that was replaced by one in a place that is gone', async () => {
    const { admin } = shared();
    const id = await asked(shared(), 'pay.two');
    await hand(cast.finn, id, 'user:fay@example.com');
    await cast.fay.vote(id, approve);
    await admin.patch(`/v1/people/${cast.fay.id}`, { roles: ['clerk'] });
    // The same again, and now in the place of another.
    await eventually(async () => {
      await cast.fay.vote(id, { ...approve, comment: 'still' });
      const { votes } = (await admin.get(`/v1/approvals/${id}`)).body;
      expect(votes).toHaveLength(2);
    });
    await hand(cast.finn, id, 'user:finn@example.com');
    await admin.patch(`/v1/people/${cast.fay.id}`, { roles: ['finance'] });
    expect((await cast.flo.vote(id, approve)).body.decision).toBe('pending');
    expect((await cast.finn.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('must be one, and must hand it to somebody', async () => {
    const id = await asked(shared(), 'pay.two');
    // Who there is, is not told to whom it does not concern.
    for (const of of [id, `act_${'0'.repeat(32)}`]) {
      const told = await Promise.all(
        ['user:sam@example.com', 'role:security', 'user:nobody@example.com', 'role:nobody'].map((to) =>
          hand(cast.out, of, to),
        ),
      );
      expect(new Set(told.map(({ status, body }) => `${status} ${body.error}`)).size).toBe(1);
    }
    expect(await hand(cast.fay, id, 'user:nobody@example.com')).toMatchObject({
      status: 422,
      body: { details: [{ path: 'to[0]' }] },
    });
  });

  test('is told when those who are left are too few', async () => {
    const { raw } = shared();
    // Three are wanted, and there are three.
    const id = await asked(shared(), 'pay.majority');
    expect((await hand(cast.fay, id, 'user:out@example.com')).body.warning).toBeUndefined();
    expect((await hand(cast.fay, id, 'user:finn@example.com')).body.warning).toContain(
      'too few now for role:finance',
    );
    await eventually(async () => expect(await alarmKinds(raw)).toContain('approval_without_approvers'));
    await hand(cast.fay, id, 'user:fay@example.com');
    for (const person of [cast.fay, cast.finn]) await person.vote(id, approve);
    expect((await cast.flo.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('cannot hand it to whom the rule keeps out', async () => {
    const id = await asked(shared(), 'pay.large', { on_behalf_of: 'out@example.com' });
    await hand(cast.mia, id, 'user:out@example.com');
    expect((await cast.out.vote(id, approve)).body.error).toBe('NOT_ELIGIBLE');
  });
});

describe('a comment', () => {
  test('is seen by all who see the approval, and decides nothing', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.two');
    const said = await cast.fay.post(`/v1/approvals/${id}/comments`, { comment: 'Whose trip is it?' });
    expect(said.status).toBe(201);
    expect((await cast.finn.get(`/v1/approvals/${id}`)).body.comments).toMatchObject([
      { by: 'fay@example.com', comment: 'Whose trip is it?' },
    ]);
    expect((await agent.answer(id)).body.decision).toBe('pending');
  });

  test('of somebody whom it does not concern is refused', async () => {
    const id = await asked(shared(), 'pay.two');
    expect(await cast.out.post(`/v1/approvals/${id}/comments`, { comment: 'hm' })).toMatchObject({
      status: 404,
    });
  });
});
