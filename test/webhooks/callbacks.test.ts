import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, messageCount, messagesIn, personWith, policy, rawBroker, typesOf } from '../support.ts';
import { closedPort, isSignedWith, local, signaturesOf, startSystem, withStatus } from './support.ts';

releaseAfterEach();

const refund = { action_name: 'refund.create', payload: { amount: 20 } };
const read = { action_name: 'read.mail', payload: {} };
const hostOf = (url: string) => new URL(url).host;

/** Lets the first agent have itself called back, and answers the secret. */
async function allow({ admin }: TestPlacet, ...hosts: string[]): Promise<string> {
  const patched = await admin.patch('/v1/agents/my-agent', { callback_hosts: hosts });
  expect(patched).toMatchObject({ status: 200, body: { callback_hosts: hosts } });
  const made = await admin.post('/v1/agents/my-agent/callback-secret');
  expect(made).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/) } });
  return made.body.secret;
}

describe('a callback', () => {
  test('tells the agent of the decision, by a verdict and by people, signed with its secret', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem();
    const secret = await allow(started, hostOf(system.url));
    const callback_url = `${system.url}?token=of-the-agent`;
    const verdict = (await started.agent.check({ ...read, callback_url })).body;
    expect(verdict.decision).toBe('allowed');
    const { action_id } = (await started.agent.check({ ...refund, callback_url })).body;
    const without = (await started.agent.check(refund)).body.action_id;
    await started.admin.vote(action_id, { vote: 'approve' });
    await started.admin.vote(without, { vote: 'approve' });
    await eventually(() => expect(system.got).toHaveLength(2));
    for (const got of system.got) expect(isSignedWith(got, secret)).toBe(true);
    expect(system.about(verdict.action_id)[0]?.event).toMatchObject({
      type: 'action.decided',
      data: { decision: 'allowed', cause: 'policy', proof: verdict.proof },
    });
    expect(system.about(action_id)[0]?.event.data).toMatchObject({ decision: 'allowed', cause: 'votes' });

    const raw = await rawBroker(started.placet);
    await eventually(async () => expect(await typesOf(raw, action_id)).toContain('notification.sent'));
    const messages = await messagesIn(raw);
    // People are asked without it.
    const asked = messages.filter(({ event }) => event.type === 'approval.needed');
    expect(asked.map(({ text }) => text.includes('callback'))).toEqual([false, false]);
    const stored = messages.map(({ text }) => text).join('\n');
    // It may hold a token: whoever reads events sees where it went, and no more.
    expect(stored).toContain(system.origin);
    expect(stored).not.toMatch(/of-the-agent|path-that-is-a-secret/);
    const approval = await started.admin.get(`/v1/approvals/${action_id}`);
    expect(JSON.stringify(approval.body)).not.toContain('callback');
    const agents = JSON.stringify((await started.admin.get('/v1/agents')).body);
    expect(agents).not.toContain('callback_secrets');
  });

  test('is signed with both secrets while they are exchanged', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem();
    const first = await allow(started, hostOf(system.url));
    const second = (await started.admin.post('/v1/agents/my-agent/callback-secret')).body.secret;
    await started.agent.check({ ...read, callback_url: system.url });
    await eventually(() => expect(system.got).toHaveLength(1));
    const [got] = system.got;
    if (!got) throw new Error('one came');
    expect(signaturesOf(got)).toHaveLength(2);
    expect([first, second].map((secret) => isSignedWith(got, secret))).toEqual([true, true]);
  });

  test('of the same request asked again goes to the same place, and to another is another request', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem();
    await allow(started, hostOf(system.url));
    const same = { ...read, idempotency_key: 'once', callback_url: system.url };
    const first = await started.agent.check(same);
    expect((await started.agent.check(same)).body).toEqual(first.body);
    for (const callback_url of [`${system.url}/other`, undefined]) {
      const other = await started.agent.check({ ...same, callback_url });
      expect(other).toMatchObject({ status: 409, body: { error: 'IDEMPOTENCY_CONFLICT' } });
    }
    await eventually(() => expect(system.got).toHaveLength(1));
  });

  test('that fails for good is an event, and the decision stands', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const system = await startSystem(withStatus(410));
    await allow(started, hostOf(system.url), `localhost:${await closedPort()}`);
    const gone = await started.agent.check({ ...read, callback_url: system.url });
    const [, hidden = ''] = (await started.admin.get('/v1/agents/my-agent')).body.callback_hosts;
    const refused = await started.agent.check({ ...read, callback_url: `https://${hidden}/token` });
    const raw = await rawBroker(started.placet);
    await eventually(async () => {
      const failed = (await messagesIn(raw)).flatMap(({ event }) =>
        event.type === 'notification.failed' ? [event.data] : [],
      );
      expect(failed.toSorted((a, b) => (a.error < b.error ? -1 : 1))).toMatchObject([
        { action_id: refused.body.action_id, error: expect.stringMatching(/"localhost" resolves to/) },
        { action_id: gone.body.action_id, channel: 'callback', error: 'The receiver answered 410, Gone.' },
      ]);
      expect(JSON.stringify(failed)).not.toContain('token');
    });
    expect((await started.agent.answer(gone.body.action_id)).body.decision).toBe('allowed');
  });
});

describe('a callback is refused', () => {
  const refusal = (started: TestPlacet, callback_url: string) =>
    started.agent.check({ ...read, callback_url });

  test('where the agent is allowed nothing, or has no secret, with what to do', async () => {
    const started = await startTestPlacet({ policy, env: local });
    const { url } = await startSystem();
    const first = await refusal(started, url);
    expect(first).toMatchObject({ status: 403, body: { error: 'CALLBACK_REFUSED' } });
    expect(first.body.message).toContain('PATCH /v1/agents/my-agent');
    await started.admin.patch('/v1/agents/my-agent', { callback_hosts: [hostOf(url)] });
    const second = await refusal(started, url);
    expect(second).toMatchObject({ status: 403, body: { error: 'CALLBACK_REFUSED' } });
    expect(second.body.message).toContain('POST /v1/agents/my-agent/callback-secret');
    const other = await agentNamed(started, 'other');
    expect((await other.check({ ...read, callback_url: url })).status).toBe(403);
    const raw = await rawBroker(started.placet);
    expect(await messageCount(raw)).toBe(0);
  });

  test('at an address of our own network, however it is written and whatever an agent is allowed', async () => {
    const started = await startTestPlacet({ policy });
    const hosts = ['127.0.0.1', '[::ffff:7f00:1]', '10.0.0.1:8443', 'example.com'];
    await allow(started, ...hosts);
    for (const url of [
      'https://127.0.0.1/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://[::ffff:127.0.0.1]/',
      'https://10.0.0.1:8443/',
    ]) {
      const refused = await refusal(started, url);
      expect(refused, url).toMatchObject({ status: 403, body: { error: 'CALLBACK_REFUSED' } });
      expect(refused.body.message, url).toContain('not public');
    }
    for (const url of [
      'http://example.com/',
      'https://a:b@example.com/',
      'https://example.com:8443/',
      'https://sub.example.com/',
      'https://example.com.evil.test/',
      'https://example.com@evil.test/',
      'ftp://example.com/',
      'nothing',
    ]) {
      expect((await refusal(started, url)).status, url).toBe(403);
    }
    expect((await refusal(started, 'https://example.com/')).body.decision).toBe('allowed');
  });

  test('by anybody but an administrator is nothing allowed, and no host that is none', async () => {
    const started = await startTestPlacet({ policy });
    const approver = await personWith(started, 'ann@example.com', ['approver', 'auditor']);
    const changes = [
      ['PATCH', '/v1/agents/my-agent', { callback_hosts: ['example.com'] }],
      ['POST', '/v1/agents/my-agent/callback-secret', {}],
    ] as const;
    for (const [method, path, body] of changes) {
      expect((await started.agent.call(method, path, body)).body.error).toBe('WRONG_CREDENTIAL');
      expect((await approver.call(method, path, body)).body.error).toBe('FORBIDDEN');
    }
    for (const host of ['*', '*.example.com', 'https://example.com', 'a/b', 'a@b', '', 'a b', 'a:99999999']) {
      const refused = await started.admin.patch('/v1/agents/my-agent', { callback_hosts: [host] });
      expect(refused.status, host).toBe(422);
    }
    expect((await started.admin.patch('/v1/agents/my-agent', { owner: 'x' })).status).toBe(422);
  });
});

test('the master key is made at the first start, and what it keeps is readable after a restart', async () => {
  const first = await startTestPlacet({ policy, env: local });
  const system = await startSystem();
  const secret = await allow(first, hostOf(system.url));
  const key = readFileSync(join(first.dataDir, 'keys', 'master.key'), 'utf8').trim();
  expect(Buffer.from(key, 'base64url')).toHaveLength(32);
  await first.close();
  const second = await startTestPlacet({ dataDir: first.dataDir, env: local });
  await second.agent.check({ ...read, callback_url: system.url });
  await eventually(() => expect(system.got).toHaveLength(1));
  const [got] = system.got;
  expect(got && isSignedWith(got, secret)).toBe(true);
});
