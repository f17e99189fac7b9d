import { countTotals, eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { agentNamed, put, rawBroker } from './support.ts';

releaseAfterEach();

const policy = `version: 1
rules:
  - name: small
    action: refund.*
    when: payload.amount < 50
    decide: allow
    limit: { count: 2, per: 31d, else: deny }
  - name: large
    action: refund.*
    decide: require_approval
    approvers: ["role:finance"]
    quorum: 2
    timeout: 5m
  - { name: unsure, action: "*", when: payload.missing > 1, decide: deny }
default: allow
`;
const guardrail = `version: 1
rules:
  - { name: watch, action: "refund.*", decide: allow }
`;

async function started() {
  const placet = await startTestPlacet();
  await put(placet, 'default', policy);
  await put(placet, 'guardrail', guardrail);
  return placet;
}

const evaluate = async ({ admin }: TestPlacet, body: object, scope = 'default') =>
  admin.post(`/v1/policies/${scope}/evaluate`, body);

describe('a request that is only tried', () => {
  test('is told which rule of which layer decides, and which others match', async () => {
    const placet = await started();
    const { status, body } = await evaluate(placet, {
      action_name: 'refund.create',
      payload: { amount: 70 },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      decide: 'require_approval',
      rule: 'large',
      scope: 'default',
      applies: true,
      demands: [{ approvers: ['role:finance'], quorum: 2, separate: false }],
      timeout_ms: 300_000,
      on_timeout: 'deny',
      layers: [
        { scope: 'guardrail', decide: 'allow', rule: 'watch', matches: [{ rule: 'watch', line: 3 }] },
        {
          scope: 'default',
          decide: 'require_approval',
          rule: 'large',
          matches: [
            { rule: 'large', decide: 'require_approval', unsure: null },
            { rule: 'unsure', decide: 'deny', unsure: 'field not found: missing' },
          ],
        },
      ],
    });
  });

  test('is told whom the rule would ask, how many of them, and when others', async () => {
    const placet = await startTestPlacet();
    const text = `
version: 1
rules:
  - action: pay
    decide: require_approval
    approvers: { all: ["role:manager", "role:security"] }
    reject: majority
    timeout: 1h
    remind: [50%]
    escalate: [{ after: 5m, to: ["role:oncall"], replace: true }]
    editable: [payload.amount]
    choices: [{ name: go, means: allow }, { name: stop, means: deny }]
    redact: [{ path: payload.card, except: ["role:fraud"] }]
`;
    expect((await evaluate(placet, { action_name: 'pay', text })).body).toMatchObject({
      demands: [
        {
          approvers: ['role:manager', 'role:security'],
          quorum: 2,
          ways: [[['role:manager'], ['role:security']]],
          reject: 'majority',
          escalate: [{ after_ms: 300_000, to: ['role:oncall'], replace: true }],
        },
      ],
      redact: ['payload.card'],
      redact_except: { 'payload.card': ['fraud'] },
      editable: ['payload.amount'],
      choices: [
        { name: 'go', means: 'allow' },
        { name: 'stop', means: 'deny' },
      ],
      remind: [0.5],
    });
  });

  test('is not counted, and is told what is left', async () => {
    const placet = await started();
    const small = { action_name: 'refund.create', payload: { amount: 7 } };
    for (const _ of [1, 2, 3]) {
      expect((await evaluate(placet, small)).body).toMatchObject({
        decide: 'allow',
        counters: [{ rule: 'small', kind: 'limit', by: null, used: 0, wanted: 1, max: 2, status: 'room' }],
      });
    }
    const { jsm } = await rawBroker(placet.placet);
    expect(await countTotals(jsm)).toEqual([]);
    for (const n of [1, 2]) await placet.agent.check({ ...small, payload: { amount: n } });
    expect((await evaluate(placet, small)).body).toMatchObject({
      decide: 'deny',
      reason: 'the limit of the rule "small" is used up (2 per 31d)',
      counters: [{ used: 2, status: 'over' }],
    });
  });

  test('leaves nothing in the stream', async () => {
    const placet = await started();
    const { jsm } = await rawBroker(placet.placet);
    const before = (await jsm.streams.info('PLACET')).state.last_seq;
    await evaluate(placet, { action_name: 'refund.create', payload: { amount: 70 } });
    expect((await jsm.streams.info('PLACET')).state.last_seq).toBe(before);
  });

  test('may be tried with another text, which is not stored', async () => {
    const placet = await started();
    const asked = { action_name: 'refund.create', payload: { amount: 70 } };
    const text = 'version: 1\ndefault: deny\n';
    expect((await evaluate(placet, { ...asked, text })).body).toMatchObject({
      decide: 'deny',
      scope: 'default',
    });
    expect((await evaluate(placet, asked)).body).toMatchObject({ decide: 'require_approval' });
    expect(await evaluate(placet, { ...asked, text: 'version: 2' })).toMatchObject({
      status: 422,
      body: { error: 'POLICY_REFUSED' },
    });
  });

  test('is asked for an agent, at a moment, with a policy that the caller names', async () => {
    const placet = await started();
    await agentNamed(placet, 'night');
    await put(
      placet,
      'agent:night',
      'version: 1\nrules:\n  - { action: "*", schedule: { hours: "22:00-06:00", zone: UTC }, decide: allow }\ndefault: deny\n',
    );
    const at = (now: string) => evaluate(placet, { action_name: 'x', now }, 'agent:night');
    expect((await at('2026-03-02T23:00:00Z')).body).toMatchObject({ decide: 'allow', applies: true });
    expect((await at('2026-03-02T12:00:00Z')).body).toMatchObject({ decide: 'deny' });
    const other = await evaluate(placet, { action_name: 'x', agent: 'night' });
    expect(other.body).toMatchObject({ applies: false });
    expect((await evaluate(placet, { action_name: 'x' }, 'named:none')).body).toMatchObject({
      decide: 'deny',
      layers: [{}, {}, { scope: 'named:none', digest: null, decide: 'deny' }],
    });
  });

  test('of a set is asked of who includes it', async () => {
    const placet = await started();
    const { status, body } = await evaluate(placet, { action_name: 'x' }, 'set:money');
    expect(status).toBe(422);
    expect(body.details).toEqual([
      { path: 'scope', message: 'is a set: evaluate the policy that includes it, with its text' },
    ]);
  });

  test('is for people: an agent does not ask what it would be told', async () => {
    const placet = await startTestPlacet();
    const asked = await placet.agent.post('/v1/policies/default/evaluate', { action_name: 'x' });
    expect(asked.status).toBe(403);
  });
});

describe('a backtest', () => {
  const lines = (body: string) =>
    body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  async function withHistory() {
    const placet = await started();
    const amounts = [10, 20, 30, 70, 80, 90];
    for (const amount of amounts)
      await placet.agent.check({ action_name: 'refund.create', payload: { amount } });
    await placet.agent.check({ action_name: 'read.mail' });
    await eventually(async () => {
      const { body } = await placet.admin.get('/v1/audit?type=action.requested');
      expect(body.records).toHaveLength(7);
    });
    return placet;
  }

  const backtest = async ({ admin }: TestPlacet, text: string, query = '') => {
    const reply = await admin.call('POST', `/v1/policies/default/backtest${query}`, text, {
      'content-type': 'application/yaml',
    });
    return { ...reply, last: reply.status === 200 ? lines(reply.body).at(-1) : undefined };
  };

  test('says which verdicts would change, from what to what, and how often people would be asked', async () => {
    const placet = await withHistory();
    const candidate = policy.replace('amount < 50', 'amount < 75').replace('count: 2', 'count: 100');
    const { last } = await backtest(placet, candidate);
    expect(last.result).toMatchObject({
      scope: 'default',
      requests: 7,
      unreadable: 0,
      before: { allow: 2, deny: 2, require_approval: 3 },
      after: { allow: 4, deny: 1, require_approval: 2 },
      changed: 2,
      interruptions: -1,
    });
    expect(last.result.changes).toMatchObject([
      {
        from: 'deny',
        to: 'allow',
        count: 1,
        actions: [{ action: 'refund.create', count: 1 }],
        examples: [{ before: { rule: 'small' }, after: { rule: 'watch' } }],
      },
      { from: 'require_approval', to: 'allow', count: 1 },
    ]);
    expect(last.result.rules).toContainEqual({ scope: 'default', rule: 'large', count: 2 });
  });

  test('of the policy in force changes nothing, and decides nothing', async () => {
    const placet = await withHistory();
    const { jsm } = await rawBroker(placet.placet);
    const before = [(await jsm.streams.info('PLACET')).state.last_seq, await countTotals(jsm)];
    const { last } = await backtest(placet, policy);
    expect(last.result).toMatchObject({ requests: 7, changed: 0, interruptions: 0, changes: [] });
    expect([(await jsm.streams.info('PLACET')).state.last_seq, await countTotals(jsm)]).toEqual(before);
    expect((await placet.admin.get('/v1/policies/default')).body).toBe(policy);
  });

  test('is of requests since a moment, and of one agent', async () => {
    const placet = await withHistory();
    const requests = async (query: string) => (await backtest(placet, policy, query)).last.result.requests;
    expect(await requests('?since=1h')).toBe(7);
    expect(await requests(`?since=${new Date(Date.now() + 60_000).toISOString()}`)).toBe(0);
    expect(await requests('?until=2026-01-01T00:00:00Z')).toBe(0);
    await agentNamed(placet, 'silent');
    expect(await requests('?agent=silent')).toBe(0);
    expect((await backtest(placet, policy, '?agent=nobody-there')).status).toBe(404);
    expect(await requests('?agent=my-agent')).toBe(7);
  });

  test('goes on over the pages of the record, and says how far it is', async () => {
    const placet = await startTestPlacet();
    await put(placet, 'default', 'version: 1\ndefault: allow\n');
    await Promise.all(
      Array.from({ length: 16 }, async (_, caller) => {
        for (let n = 0; n < 40; n++)
          await placet.agent.check({ action_name: 'read', payload: { caller, n } });
      }),
    );
    await eventually(async () => {
      expect((await backtest(placet, 'version: 1\ndefault: deny\n')).last.result.requests).toBe(640);
    });
    const { body } = await backtest(placet, 'version: 1\ndefault: deny\n');
    const [first, second, last, ...more] = lines(body);
    expect(first.progress.requests).toBe(500);
    expect(second.progress.requests).toBe(640);
    expect(last.result).toMatchObject({ changed: 640, changes: [{ from: 'allow', to: 'deny', count: 640 }] });
    expect(more).toEqual([]);
  });

  test('ends with its caller, and the next one may begin', async () => {
    const placet = await withHistory();
    for (let n = 0; n < 5; n++) {
      const leaving = new AbortController();
      const asked = fetch(`${placet.url}/v1/policies/default/backtest`, {
        method: 'POST',
        headers: { authorization: `Bearer ${placet.personToken}`, 'content-type': 'application/yaml' },
        body: policy,
        signal: leaving.signal,
      });
      setTimeout(() => leaving.abort(), n);
      await asked.then((response) => response.text()).catch(() => {});
    }
    await eventually(async () => expect((await backtest(placet, policy)).status).toBe(200));
  });

  test('of what is no policy is refused like any other', async () => {
    const placet = await startTestPlacet();
    expect(await backtest(placet, 'version: 1\ndefault: maybe\n')).toMatchObject({
      status: 422,
      body: { error: 'POLICY_REFUSED' },
    });
    expect((await backtest(placet, policy, '?since=yesterday')).status).toBe(422);
  });
});
