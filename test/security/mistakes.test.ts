import { setTimeout as after } from 'node:timers/promises';
import { digestOf } from '@placet/proof';
import {
  createClient,
  eventually,
  releaseAfterEach,
  startTestPlacet,
  type TestPlacet,
} from '@placet/testing';
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { alarmKinds, held, personWith, put, rawBroker } from '../support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: refund.create
    decide: require_approval
    approvers: ["role:lead"]
    separate: true
    editable: [payload.amount, payload.tool]
  - action: refund.two
    decide: require_approval
    approvers: ["role:lead"]
    quorum: 2
  - action: drop.table
    decide: deny
default: allow
`;

let started: TestPlacet;
let lead: Awaited<ReturnType<typeof personWith>>;
beforeEach(async () => {
  started = await startTestPlacet({ policy });
  lead = await personWith(started, 'lead@example.com', ['lead']);
});
const pending = async (id: string) =>
  expect((await started.agent.answer(id)).body).toMatchObject({
    decision: 'pending',
    approval: { votes: 0 },
  });

/** What users of comparable systems report. Each of these happened to somebody. */
describe('a mistake that others made', () => {
  test('link scanners consume approvals: nothing that is fetched decides', async () => {
    const id = await held(started);
    const { paths } = (await started.admin.get('/docs/json')).body;
    const addresses = Object.keys(paths)
      .filter((path) => path.startsWith('/v1/approvals') || path.startsWith('/v1/check'))
      .map((path) => path.replace('{id}', id));
    expect(addresses.length).toBeGreaterThan(8);
    for (const address of addresses.filter((one) => !one.endsWith('/events'))) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const query of ['', '?vote=approve', '?decision=allowed']) {
          await lead.call(method, address + query);
        }
      }
    }
    await pending(id);
  });

  test('approvals are lost on a restart', async () => {
    const id = await held(started);
    await started.close();
    const { placet } = await startTestPlacet({ dataDir: started.dataDir });
    const again = createClient(placet.gateway.url, lead.token);
    await eventually(async () =>
      expect((await again.get('/v1/approvals?for=me')).body.approvals).toMatchObject([{ id }]),
    );
    expect((await again.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('any caller can decide', async () => {
    const id = await held(started);
    const other = await personWith(started, 'other@example.com', ['approver', 'auditor']);
    const callers = [
      [createClient(started.url), 401, 'MISSING_TOKEN'],
      [started.agent, 403, 'WRONG_CREDENTIAL'],
      [started.admin, 403, 'NOT_ELIGIBLE'],
      [other, 403, 'NOT_ELIGIBLE'],
    ] as const;
    for (const [caller, status, error] of callers) {
      expect(await caller.vote(id, { vote: 'approve' })).toMatchObject({ status, body: { error } });
      expect(
        (await caller.vote(id, { vote: 'approve', by: 'lead@example.com' })).status,
      ).toBeGreaterThanOrEqual(401);
    }
    await pending(id);
  });

  test('whoever asks approves it themselves: the owner, in whose name it is, and who wrote what is asked', async () => {
    const owner = await personWith(started, 'owner@example.com', ['lead']);
    const { body: made } = await started.admin.post('/v1/agents', {
      name: 'owned',
      owner: 'owner@example.com',
    });
    const agent = createClient(started.url, made.key);
    const payload = { amount: 20 };
    const id = await held({ agent }, { payload, on_behalf_of: 'Lead@example.com', accepts: ['edits'] });
    expect((await owner.vote(id, { vote: 'approve' })).body.error).toBe('NOT_ELIGIBLE');
    expect((await lead.vote(id, { vote: 'approve' })).body.error).toBe('NOT_ELIGIBLE');
    const third = await personWith(started, 'third@example.com', ['lead']);
    const changed = await third.post(`/v1/approvals/${id}/edits`, {
      changes: { 'payload.amount': 10 },
      payload_digest: digestOf(payload),
    });
    expect(changed.status).toBe(200);
    expect((await third.vote(id, { vote: 'approve' })).body.error).toBe('NOT_ELIGIBLE');
    expect((await agent.answer(id)).body.decision).toBe('pending');
  });

  test('the approval is not bound to what then runs', async () => {
    const payload = { amount: 20, customer: 'c-1' };
    const id = await held(started, { payload, idempotency_key: 'order' });
    await lead.vote(id, { vote: 'approve' });
    const { body } = await started.agent.answer(id);
    expect(decodeJwt(body.proof)).toMatchObject({
      sub: id,
      action: 'refund.create',
      payload_digest: digestOf(payload),
      exp: expect.any(Number),
    });
    const other = await started.agent.check({
      action_name: 'refund.create',
      payload: { ...payload, amount: 21 },
      idempotency_key: 'order',
    });
    expect(other).toMatchObject({ status: 409, body: { error: 'IDEMPOTENCY_CONFLICT' } });
  });

  test('an edit changes the tool, and so skips its policy', async () => {
    await put(
      started,
      'guardrail',
      'version: 1\nrules:\n  - action: refund.create\n    when: has(payload.tool) && payload.tool == "drop"\n    decide: deny\n    reason: Never.\n',
    );
    const payload = { amount: 20, tool: 'refund' };
    const id = await held(started, { payload, tool: 'refund', accepts: ['edits'] });
    const edit = (changes: object) =>
      lead.post(`/v1/approvals/${id}/edits`, { changes, payload_digest: digestOf(payload) });
    for (const path of ['action_name', 'tool', 'agent', 'context.tool', 'payload']) {
      expect(await edit({ [path]: 'drop.table' })).toMatchObject({
        status: 422,
        body: { error: 'NOT_EDITABLE' },
      });
    }
    await pending(id);
    expect((await edit({ 'payload.tool': 'drop' })).status).toBe(200);
    await eventually(async () =>
      expect((await started.agent.answer(id)).body).toMatchObject({
        decision: 'denied',
        rule: 'rule for refund.create',
      }),
    );
    expect((await started.admin.get(`/v1/approvals/${id}`)).body.action_name).toBe('refund.create');
  });

  test('an agent repeats a rejected call in other words: who is asked sees what was said before', async () => {
    const first = await held(started, { reasoning: 'The customer wants it.' });
    await lead.vote(first, { vote: 'reject', comment: 'There is no order.' });
    const again = await held(started, { payload: { amount: 20, urgent: true }, reasoning: 'It is urgent!' });
    await eventually(async () =>
      expect((await lead.get(`/v1/approvals/${again}`)).body.earlier).toMatchObject([
        {
          action_id: first,
          decision: 'denied',
          reason: 'There is no order.',
          decided_by: ['person:lead@example.com'],
        },
      ]),
    );
  });

  test('what is asked is cut off: people see all of it, whatever its size', async () => {
    const payload = Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [`field ${n}`, 'x'.repeat(60)]),
    );
    const id = await held(started, { payload: { amount: 20, ...payload } });
    const { body } = await lead.get(`/v1/approvals/${id}`);
    expect(body.payload).toEqual({ amount: 20, ...payload });
    expect(digestOf(body.payload)).toBe(body.payload_digest);
  });

  test('a second place still offers to decide: it is told that it is over, and by whom', async () => {
    const id = await held(started);
    const second = await personWith(started, 'second@example.com', ['lead']);
    await lead.vote(id, { vote: 'reject', comment: 'no' });
    expect(await second.vote(id, { vote: 'approve' })).toMatchObject({
      status: 409,
      body: {
        error: 'ALREADY_DECIDED',
        details: { decision: 'denied', reason: 'no', decided_by: ['person:lead@example.com'] },
      },
    });
    expect((await started.agent.answer(id)).body.decision).toBe('denied');
  });

  test('a quorum never counts its votes', async () => {
    const id = await held(started, { action_name: 'refund.two' });
    const second = await personWith(started, 'second@example.com', ['lead']);
    for (let n = 0; n < 3; n++)
      expect((await lead.vote(id, { vote: 'approve' })).body.decision).toBe('pending');
    expect((await second.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('people take longer than the caller waits: asking again is the same action', async () => {
    const body = { action_name: 'refund.create', payload: { amount: 20 }, idempotency_key: 'slow' };
    const impatient = new AbortController();
    const cut = fetch(`${started.url}/v1/check?wait=60`, {
      method: 'POST',
      headers: { authorization: `Bearer ${started.agentKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: impatient.signal,
    });
    const { id } = await eventually(async () => {
      const { approvals } = (await lead.get('/v1/approvals?for=me')).body;
      expect(approvals).toHaveLength(1);
      return approvals[0];
    });
    impatient.abort();
    await expect(cut).rejects.toThrow();
    const waiting = started.agent.check(body, '?wait=30');
    await after(50);
    await lead.vote(id, { vote: 'approve' });
    expect((await waiting).body).toMatchObject({ decision: 'allowed', action_id: id });
  });

  test('rejected calls run all the same: that is refused, and an alarm', async () => {
    const id = await held(started);
    await lead.vote(id, { vote: 'reject' });
    const answer = (await started.agent.answer(id)).body;
    expect(answer.valid_until).toBeUndefined();
    expect(decodeJwt(answer.proof)).toMatchObject({ decision: 'denied' });
    expect(await started.agent.post(`/v1/check/${id}/execution`, { status: 'success' })).toMatchObject({
      status: 409,
      body: { error: 'NOT_ALLOWED' },
    });
    const raw = await rawBroker(started.placet);
    await eventually(async () => expect(await alarmKinds(raw)).toContain('executed_without_permission'));
  });
});
