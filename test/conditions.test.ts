import { releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { put } from './support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - name: small refunds
    action: refund.*
    when: payload.amount < 50 && agent.id == "my-agent"
    decide: allow
  - name: of the shop
    action: refund.*
    when: context.tool == "shop" && "eu" in context.tags
    decide: deny
default: require_approval
`;

test('a condition decides by what is in the request', async () => {
  const started = await startTestPlacet();
  await put(started, 'default', policy);
  const ask = async (payload: object, more: object = {}) =>
    (await started.agent.check({ action_name: 'refund.create', payload, ...more })).body;

  expect(await ask({ amount: 49.99 })).toMatchObject({ decision: 'allowed', rule: 'small refunds' });
  expect(await ask({ amount: 50 }, { tool: 'shop', tags: ['eu', 'x'] })).toMatchObject({
    decision: 'denied',
    rule: 'of the shop',
  });
  expect(await ask({ amount: 50 }, { tool: 'shop' })).toMatchObject({ decision: 'pending', rule: null });
});

test('a condition that cannot be told asks people, and says why', async () => {
  const started = await startTestPlacet();
  await put(started, 'default', policy.replace('default: require_approval', 'default: allow'));
  const { body } = await started.agent.check(
    { action_name: 'refund.create', payload: { amount: 'ten' } },
    '?wait=0',
  );
  expect(body).toMatchObject({ decision: 'pending', approval: { approvers: ['role:approver'] } });
  expect(body.reason).toMatch(/^it cannot be told whether the rule "(small refunds|of the shop)" matches: /);
});

test('a condition that is none is refused with its place, and the running policy stays', async () => {
  const { admin } = await startTestPlacet();
  const before = (await admin.get('/v1/policies/default')).body;
  const text = policy.replace('payload.amount < 50', 'payload.amount * 2 < 50');
  const refused = await admin.put('/v1/policies/default', text);
  expect(refused).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
  expect(refused.body.details).toEqual([
    {
      line: 6,
      column: 26,
      path: 'rules[0].when',
      message:
        'when: numbers of a payload have fractions, and * takes two of one kind: write 2.0 instead of 2',
    },
  ]);
  expect((await admin.get('/v1/policies/default')).body).toEqual(before);
});

test('a policy that does not keep its own tests is refused, and the running policy stays', async () => {
  const { admin } = await startTestPlacet();
  const before = (await admin.get('/v1/policies/default')).body;
  const tests = 'tests:\n  - { action: refund.x, payload: { amount: 60 }, agent: my-agent, expect: allow }\n';
  const refused = await admin.put('/v1/policies/default', policy + tests);
  expect(refused).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
  expect(refused.body.details).toEqual([
    {
      line: 14,
      column: 5,
      path: 'tests[0]',
      message:
        'the test "allow for refund.x" expects allow, and it is require_approval: no rule of the policy default matches, and its default asks people',
    },
  ]);
  expect((await admin.get('/v1/policies/default')).body).toEqual(before);
  const kept = policy + tests.replace('amount: 60', 'amount: 40');
  expect((await admin.put('/v1/policies/default', kept)).status).toBe(200);
});
