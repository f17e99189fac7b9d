import { describe, expect, test } from 'vitest';
import { personWith, sharedPlacet } from './support.ts';

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

const shared = sharedPlacet({ policy });

describe('a request that is only tried', () => {
  test.each([
    [{}, 422],
    [{ action_name: 'x', agent: 'nobody-there' }, 404],
    [{ action_name: 'x', now: 'today' }, 422],
    [{ action_name: 'x', decision: 'allow' }, 422],
    [{ action_name: 'x', idempotency_key: 'k' }, 422],
  ])('%j is refused with %d', async (body, status) => {
    expect((await shared().admin.post('/v1/policies/default/evaluate', body)).status).toBe(status);
  });
});

describe('people of other roles', () => {
  const paths = [
    ['POST', 'evaluate', { action_name: 'x' }],
    ['POST', 'backtest', policy],
    ['GET', 'versions', undefined],
    ['GET', 'diff', undefined],
    ['POST', 'rollback', { revision: 1 }],
  ] as const;

  test.each([
    [[], [403, 403, 403, 403, 403]],
    [['approver'], [200, 403, 200, 200, 403]],
    [['auditor'], [200, 200, 200, 200, 403]],
  ])('%j', async (roles, statuses) => {
    const client = await personWith(shared(), `p${roles.length}-${roles.join()}@example.com`, roles);
    const found = [];
    for (const [method, name, body] of paths)
      found.push((await client.call(method, `/v1/policies/default/${name}`, body)).status);
    expect(found).toEqual(statuses);
    const other = await client.post('/v1/policies/default/evaluate', { action_name: 'x', text: policy });
    expect(other.status).toBe(roles.includes('auditor') ? 200 : 403);
  });
});
