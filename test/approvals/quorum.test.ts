import { beforeAll, describe, expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});
const approve = { vote: 'approve' };
const reject = { vote: 'reject' };

describe('a quorum', () => {
  test('counts different people, and says how many are there', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.two');
    expect((await cast.fay.vote(id, approve)).body).toMatchObject({ decision: 'pending' });
    expect((await cast.fay.vote(id, { vote: 'approve', comment: 'again' })).body).toMatchObject({
      decision: 'pending',
    });
    expect((await agent.answer(id)).body).toMatchObject({
      decision: 'pending',
      approval: { votes: 1, revision: 1, demands: [{ approvers: ['role:finance'], quorum: 2, met: 1 }] },
    });
    expect((await cast.finn.vote(id, approve)).body).toMatchObject({ decision: 'allowed' });
    expect((await agent.answer(id)).body).toMatchObject({
      decision: 'allowed',
      decided_by: ['person:fay@example.com', 'person:finn@example.com'],
    });
  });

  test("a person's second vote replaces the first", async () => {
    const id = await asked(shared(), 'pay.majority');
    await cast.fay.vote(id, reject);
    await cast.fay.vote(id, approve);
    await cast.finn.vote(id, approve);
    expect((await cast.flo.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('of a group wants another person for each place', async () => {
    const { admin } = shared();
    const id = await asked(shared(), 'pay.both');
    expect((await cast.both.vote(id, approve)).body.decision).toBe('pending');
    expect((await admin.get(`/v1/approvals/${id}`)).body.demands).toMatchObject([
      { quorum: 2, met: 1, ways: [[['role:manager'], ['role:security']]] },
    ]);
    expect((await cast.sam.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('two managers are not a manager and one from security', async () => {
    const id = await asked(shared(), 'pay.both');
    await cast.mia.vote(id, approve);
    expect((await cast.max.vote(id, approve)).body.decision).toBe('pending');
    expect((await cast.sam.vote(id, approve)).body.decision).toBe('allowed');
  });
});

describe('a rejection', () => {
  test('of one ends it', async () => {
    const id = await asked(shared(), 'pay.two');
    await cast.fay.vote(id, approve);
    expect((await cast.finn.vote(id, { ...reject, comment: 'too much' })).body).toMatchObject({
      decision: 'denied',
      reason: 'too much',
    });
    expect(await cast.flo.vote(id, approve)).toMatchObject({
      status: 409,
      body: { error: 'ALREADY_DECIDED' },
    });
  });

  test('by more than half ends it where the rule says so', async () => {
    const id = await asked(shared(), 'pay.majority');
    expect((await cast.fay.vote(id, reject)).body.decision).toBe('pending');
    expect((await cast.finn.vote(id, reject)).body).toMatchObject({
      decision: 'denied',
      reason: 'Rejected by fay@example.com, finn@example.com.',
    });
  });
});

describe('approvers whom the agent names', () => {
  test('have to agree as well as those whom the policy asks', async () => {
    const id = await asked(shared(), 'pay.two', { approvers: ['user:out@example.com'] });
    await cast.fay.vote(id, approve);
    expect((await cast.finn.vote(id, approve)).body.decision).toBe('pending');
    expect((await cast.out.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('are asked also where the policy would allow it, and change nothing where it denies', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'read.mail', { approvers: ['user:out@example.com'] });
    expect((await cast.fay.vote(id, approve)).body.error).toBe('NOT_ELIGIBLE');
    expect((await cast.out.vote(id, approve)).body.decision).toBe('allowed');
    const denied = await agent.check({
      action_name: 'pay.large',
      payload: { amount: 0 },
      approvers: ['user:out@example.com'],
    });
    expect(denied.body).toMatchObject({ decision: 'denied', reason: 'Nothing is paid for nothing.' });
  });

  test('are refused in words where they are none', async () => {
    const { agent } = shared();
    const reply = await agent.check({ action_name: 'read.mail', approvers: ['bob@example.com'] });
    expect(reply).toMatchObject({ status: 422, body: { details: [{ path: 'approvers[0]' }] } });
    expect(reply.body.details[0].message).toContain('user:bob@example.com');
  });
});
