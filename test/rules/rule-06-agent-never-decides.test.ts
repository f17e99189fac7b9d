import { createCredential } from '@placet/proof';
import { createClient, eventually } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, decided, held, personWith, put, sharedPlacet } from '../support.ts';

const shared = sharedPlacet({ env: { PLACET_APPROVAL_TIMEOUT: '30m' } });
const anyAction = `act_${'0'.repeat(32)}`;

type Operation = { security?: Record<string, unknown>[] };

/** Every route that the documents show, with the kind of credential that opens it. */
async function routes(): Promise<{ method: string; path: string; opens: string | undefined }[]> {
  const { paths } = (await shared().admin.get('/docs/json')).body;
  return Object.entries(paths as Record<string, Record<string, Operation>>).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => ({
      method: method.toUpperCase(),
      path: path.replace('{id}', anyAction).replaceAll(/\{\w+\}/g, 'default'),
      opens: Object.keys(security?.[0] ?? {})[0],
    })),
  );
}

const bodyFor = (method: string) => (method === 'GET' || method === 'DELETE' ? undefined : {});

describe('rule 6: an agent never decides', () => {
  test("an agent's key opens no person's route, and a person's token no agent's", async () => {
    const { agent, admin } = shared();
    const found = await routes();
    const people = found.filter(({ opens }) => opens === 'personToken');
    const agents = found.filter(({ opens }) => opens === 'agentKey');
    expect(people.length).toBeGreaterThan(15);
    expect(agents.length).toBe(6);
    expect(found.filter(({ opens }) => opens === undefined).map(({ path }) => path)).toEqual([
      '/policy.schema.json',
      '/.well-known/jwks.json',
    ]);
    const cases = [
      ...people.map((route) => ({ ...route, client: agent })),
      ...agents.map((route) => ({ ...route, client: admin })),
    ];
    for (const { method, path, client } of cases) {
      const reply = await client.call(method, path, bodyFor(method));
      expect({ method, path, status: reply.status, error: reply.body.error }).toEqual({
        method,
        path,
        status: 403,
        error: 'WRONG_CREDENTIAL',
      });
    }
  });

  test('without a credential, or with one that is nobody’s, no route opens', async () => {
    const { url } = shared();
    const guarded = (await routes()).filter(({ opens }) => opens !== undefined);
    const strangers = [
      [createClient(url), 'MISSING_TOKEN'],
      [createClient(url, 'x'), 'INVALID_API_KEY'],
      [createClient(url, createCredential('agent').text), 'INVALID_API_KEY'],
      [createClient(url, createCredential('person').text), 'INVALID_API_KEY'],
    ] as const;
    for (const { method, path } of guarded) {
      for (const [client, error] of strangers) {
        const reply = await client.call(method, path, bodyFor(method));
        expect({ method, path, status: reply.status, error: reply.body.error }).toEqual({
          method,
          path,
          status: 401,
          error,
        });
      }
    }
  });

  test.each(['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer  ', 'token', `Bearer ${'x'.repeat(300)}`])(
    'the header "%s" names nobody',
    async (authorization) => {
      const response = await fetch(`${shared().url}/v1/people/me`, { headers: { authorization } });

      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: 'MISSING_TOKEN' });
    },
  );

  test('a key is not believed elsewhere than in its header', async () => {
    const { url, agentKey, personToken } = shared();
    for (const key of [agentKey, personToken]) {
      const response = await fetch(`${url}/v1/people/me?token=${key}&access_token=${key}`, {
        headers: { cookie: `token=${key}`, 'x-api-key': key },
      });
      expect(response.status).toBe(401);
    }
  });

  test.each(['voter', 'decided_by', 'reviewer', 'by', 'email', 'channel', 'eligible_as', 'roles'])(
    'a vote that says %s is refused, and counts for nobody',
    async (field) => {
      const { agent, admin } = shared();
      const id = await held(shared());

      const refused = await admin.vote(id, { vote: 'approve', [field]: 'boss@example.com' });

      expect(refused).toMatchObject({ status: 422, body: { details: [{ path: field }] } });
      expect((await agent.answer(id)).body.decision).toBe('pending');
    },
  );

  test.each(['decision', 'decided_by', 'agent', 'owner', 'action_id', 'payload_digest', 'valid_for'])(
    'a request that says %s itself is refused',
    async (field) => {
      const body = { action_name: 'read.mail', payload: {}, [field]: 'allowed' };

      expect(await shared().agent.check(body)).toMatchObject({
        status: 422,
        body: { details: [{ path: field }] },
      });
    },
  );

  test('who is not asked cannot vote, and does not see the approval', async () => {
    const { agent, admin } = shared();
    const id = await held(shared(), { action_name: 'wire.send' });
    const approver = await personWith(shared(), 'only-approver@example.com', ['approver']);
    const nobody = await personWith(shared(), 'nobody@example.com', []);
    for (const person of [approver, nobody]) {
      expect(await person.vote(id, { vote: 'approve' })).toMatchObject({
        status: 403,
        body: { error: 'NOT_ELIGIBLE' },
      });
      expect((await person.get(`/v1/approvals/${id}`)).status).toBe(404);
      const { approvals } = (await person.get('/v1/approvals?status=all&limit=200')).body;
      expect(approvals.map((approval: { id: string }) => approval.id)).not.toContain(id);
    }
    // An administrator sees it, and is not asked either.
    expect((await admin.get(`/v1/approvals/${id}`)).status).toBe(200);
    expect((await admin.vote(id, { vote: 'approve' })).status).toBe(403);
    expect((await agent.answer(id)).body.decision).toBe('pending');

    const treasurer = await personWith(shared(), 'treasurer@example.com', ['treasurer']);
    expect((await treasurer.get(`/v1/approvals/${id}`)).body.id).toBe(id);
    expect((await treasurer.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
    expect((await agent.answer(id)).body.decided_by).toEqual(['person:treasurer@example.com']);
  });

  test('eligibility is judged at the moment of the vote', async () => {
    const { admin } = shared();
    const person = await personWith(shared(), 'moved@example.com', ['treasurer']);
    const id = await held(shared(), { action_name: 'wire.send' });
    await admin.patch(`/v1/people/${person.id}`, { roles: ['approver'] });

    expect((await person.vote(id, { vote: 'approve' })).body.error).toBe('NOT_ELIGIBLE');

    await admin.patch(`/v1/people/${person.id}`, { roles: ['treasurer'] });
    expect((await person.vote(id, { vote: 'approve' })).body.decision).toBe('allowed');
  });

  test('how an action ended is not told to who may not see it', async () => {
    const id = await held(shared(), { action_name: 'wire.send' });
    const treasurer = await personWith(shared(), 'treasurer2@example.com', ['treasurer']);
    await treasurer.vote(id, { vote: 'reject', comment: 'A secret reason.' });
    const nobody = await personWith(shared(), 'nobody2@example.com', []);

    const refused = await nobody.vote(id, { vote: 'approve' });

    expect(refused.status).toBe(403);
    expect(JSON.stringify(refused.body)).not.toContain('secret');
  });

  test('disabled, revoked and expired credentials open nothing', async () => {
    const { admin } = shared();
    const robot = await agentNamed(shared(), 'robot');
    const ann = await personWith(shared(), 'ann@example.com', ['approver']);
    const soon = new Date(Date.now() + 1500).toISOString();
    const key = await admin.post('/v1/agents/robot/keys', { expires_at: soon });
    const token = await admin.post(`/v1/people/${ann.id}/tokens`, { expires_at: soon });
    const { url } = shared();
    const short = [createClient(url, key.body.key), createClient(url, token.body.token)] as const;
    await eventually(async () => {
      expect((await short[0].answer(anyAction)).body.error).toBe('INVALID_API_KEY');
      expect((await short[1].get('/v1/people/me')).body.error).toBe('INVALID_API_KEY');
    });
    expect((await robot.answer(anyAction)).status).toBe(404);
    expect((await ann.get('/v1/people/me')).status).toBe(200);

    await admin.delete(`/v1/agents/robot/keys/${robot.keyId}`);
    expect((await robot.answer(anyAction)).status).toBe(401);

    const other = await agentNamed(shared(), 'robot-2');
    await admin.delete('/v1/agents/robot-2');
    expect((await other.check({ action_name: 'read.mail', payload: {} })).status).toBe(401);
    await admin.patch(`/v1/people/${ann.id}`, { disabled: true });
    expect((await ann.get('/v1/people/me')).status).toBe(401);
  });

  test('a timeout that the agent names can only be shorter', async () => {
    const { agent } = shared();
    const deadlineAfter = async (timeout?: string) => {
      const before = Date.now();
      const id = await held(shared(), timeout ? { timeout } : {});
      return Date.parse((await agent.answer(id)).body.approval.deadline) - before;
    };
    const rule = 30 * 60_000;
    expect(await deadlineAfter('6d')).toBeLessThan(rule + 60_000);
    expect(await deadlineAfter('31m')).toBeLessThan(rule + 60_000);
    expect(await deadlineAfter('10m')).toBeLessThan(rule - 60_000);
  });

  test('a policy that the agent names can only be stricter', async () => {
    const { agent } = shared();
    await put(shared(), 'named:lax', 'version: 1\ndefault: allow\n');
    await put(shared(), 'named:strict', 'version: 1\ndefault: deny\n');
    const decisionOf = async (action_name: string, policy: string) =>
      (await agent.check({ action_name, payload: {}, policy })).body.decision;

    expect(await decisionOf('drop.table', 'lax')).toBe('denied');
    expect(await decisionOf('refund.create', 'lax')).toBe('pending');
    expect(await decisionOf('uncovered', 'lax')).toBe('pending');
    expect(await decisionOf('read.mail', 'lax')).toBe('allowed');
    expect(await decisionOf('read.mail', 'strict')).toBe('denied');
    expect(await decisionOf('refund.create', 'strict')).toBe('denied');
  });

  test('a policy that the agent names does not stand in for one: what nobody else covers is held', async () => {
    const bare = await agentNamed(shared(), 'bare');
    await put(shared(), 'agent:bare', 'version: 1\n');
    await put(shared(), 'named:generous', 'version: 1\ndefault: allow\n');

    const { body } = await bare.check({ action_name: 'read.mail', payload: {}, policy: 'generous' });

    expect(body).toMatchObject({ decision: 'pending', approval: { approvers: ['role:approver'] } });
  });

  test("an agent reads, withdraws and reports its own actions, never another's", async () => {
    const stranger = await agentNamed(shared(), 'stranger');
    const id = await held(shared());

    for (const reply of [
      await stranger.answer(id),
      await stranger.answer(id, '?wait=1'),
      await stranger.call('DELETE', `/v1/check/${id}`),
      await stranger.post(`/v1/check/${id}/execution`, { status: 'success' }),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { error: 'ACTION_NOT_FOUND' } });
    }
    const { agent, admin } = shared();
    await admin.vote(id, { vote: 'approve' });
    await decided(agent, id, 'allowed');
    expect((await stranger.answer(id)).status).toBe(404);
  });
});
