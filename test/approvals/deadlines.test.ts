import { eventually } from '@placet/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedPlacet, typesOf } from '../support.ts';
import { asked, askingPolicy, type Cast, castOf } from './asking.ts';

const shared = sharedPlacet({ policy: askingPolicy, env: { PLACET_STREAM_AGE: '2d' } });
let cast: Cast;
beforeAll(async () => {
  cast = await castOf(shared());
});
const approve = { vote: 'approve' };

describe('while nobody decides', () => {
  test('people are reminded, others are asked, and it ends in a denial; each once', async () => {
    const { agent, admin, raw } = shared();
    const id = await asked(shared(), 'pay.soon');
    expect((await admin.get(`/v1/approvals/${id}`)).body.steps).toMatchObject([
      { kind: 'remind', done_at: null },
      { kind: 'escalate', done_at: null, to: ['role:manager'] },
    ]);
    expect((await cast.mia.vote(id, approve)).body.error).toBe('NOT_ELIGIBLE');
    await eventually(async () =>
      expect((await agent.answer(id)).body).toMatchObject({ decision: 'denied', decided_by: ['timeout'] }),
    );
    expect(await typesOf(raw, id)).toEqual(
      expect.arrayContaining(['approval.reminded', 'approval.escalated', 'action.decided']),
    );
    const types = (await typesOf(raw, id)).filter((type) => type !== 'approval.closed');
    expect(types).toEqual([
      'action.requested',
      'approval.needed',
      'approval.reminded',
      'approval.escalated',
      'action.decided',
    ]);
    const { body } = await admin.get(`/v1/approvals/${id}`);
    for (const { at, done_at } of body.steps) {
      expect(Date.parse(done_at) - Date.parse(at)).toBeGreaterThanOrEqual(0);
    }
  });

  test('whoever is asked later may vote then, beside those who were', async () => {
    const id = await asked(shared(), 'pay.soon');
    await eventually(async () => {
      const { body } = await cast.mia.get('/v1/approvals?for=me');
      expect(body.approvals.map((one: { id: string }) => one.id)).toContain(id);
    });
    expect((await cast.mia.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('those who are replaced are asked no more', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.replaced');
    await eventually(async () =>
      expect((await agent.answer(id)).body.approval.approvers).toEqual(['role:manager']),
    );
    expect((await cast.fay.vote(id, approve)).body).toMatchObject({
      error: 'NOT_ELIGIBLE',
      message: expect.stringContaining('Others are asked by now'),
    });
    expect((await cast.fay.get('/v1/approvals?for=me')).body.approvals).toEqual([]);
    expect((await shared().admin.get(`/v1/approvals/${id}`)).body.steps).toMatchObject([
      { kind: 'escalate', to: ['role:manager'], replace: true },
    ]);
    expect((await cast.mia.vote(id, approve)).body.decision).toBe('allowed');
  });
});

describe('those who come in the place of others', () => {
  const reject = { vote: 'reject' };
  const replaced = (id: string) =>
    eventually(async () =>
      expect((await shared().agent.answer(id)).body.approval.approvers).toEqual(['role:finance']),
    );

  test('have to be as many people: two of a group do not become one', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.both.replaced');
    await cast.mia.vote(id, approve);
    await replaced(id);
    expect((await agent.answer(id)).body).toMatchObject({
      decision: 'pending',
      approval: { demands: [{ quorum: 2, met: 1 }] },
    });
    expect((await cast.fay.vote(id, approve)).body.decision).toBe('allowed');
  });

  test('are a majority only as two of two would be', async () => {
    const id = await asked(shared(), 'pay.both.rejected');
    await replaced(id);
    expect((await cast.fay.vote(id, reject)).body.decision).toBe('pending');
    expect((await cast.finn.vote(id, reject)).body.decision).toBe('denied');
  });

  test('end the places of those, whomever they were handed to', async () => {
    const { agent } = shared();
    const id = await asked(shared(), 'pay.replaced');
    await cast.fay.post(`/v1/approvals/${id}/reassignments`, { to: ['user:out@example.com'] });
    await eventually(async () =>
      expect((await agent.answer(id)).body.approval.approvers).toEqual(['role:manager']),
    );
    for (const person of [cast.fay, cast.finn, cast.out]) {
      expect((await person.vote(id, approve)).body.error).toBe('NOT_ELIGIBLE');
    }
    expect((await cast.mia.vote(id, approve)).body.decision).toBe('allowed');
  });
});

describe('a time that is longer than the stream keeps an action', () => {
  const rule = (...lines: string[]) =>
    `version: 1\nrules:\n  - action: pay\n    decide: require_approval\n${lines.map((line) => `    ${line}\n`).join('')}`;

  test.each([[['timeout: 3d']], [['timeout: 47h', 'valid_for: 1h']]])(
    'is refused in a policy with the reason: %j',
    async (lines) => {
      const reply = await shared().admin.put('/v1/policies/named:long', rule(...lines));
      expect(reply).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED', details: [{ line: 3 }] } });
      expect(reply.body.message).toContain('172800 s (PLACET_STREAM_AGE)');
    },
  );

  test('is refused in a request', async () => {
    const reply = await shared().agent.check({ action_name: 'pay.two', timeout: '3d' });
    expect(reply).toMatchObject({ status: 422, body: { details: [{ path: 'timeout' }] } });
    expect(reply.body.details[0].message).toContain('172800 s');
  });

  test('is taken when it is shorter', async () => {
    const reply = await shared().admin.put('/v1/policies/named:long', rule('timeout: 46h', 'valid_for: 1h'));
    expect(reply.status).toBe(200);
    expect((await shared().agent.check({ action_name: 'pay.two', timeout: '47h' })).status).toBe(200);
  });
});

test('steps and deadlines whose time came while nobody looked are made up for, each once and in their order', async () => {
  const { placet, agent, raw } = shared();
  await placet.stop('decisions');
  const id = await asked(shared(), 'pay.soon', { timeout: '2s' });
  const other = await asked(shared(), 'pay.replaced');
  const { deadline } = (await agent.answer(id)).body.approval;
  await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(deadline)));
  await placet.start('decisions');
  await eventually(async () => expect((await agent.answer(id)).body.decision).toBe('denied'));
  await eventually(async () =>
    expect((await agent.answer(other)).body.approval.approvers).toEqual(['role:manager']),
  );
  // Whom nobody could ask any more is not asked: the time that is over comes first.
  const ofFirst = (await typesOf(raw, id)).filter((type) => type !== 'approval.closed');
  expect(ofFirst).toEqual(['action.requested', 'approval.needed', 'action.decided']);
  const ofOther = await typesOf(raw, other);
  expect(ofOther).toEqual(['action.requested', 'approval.needed', 'approval.escalated']);
});
