import { releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { put } from './support.ts';

releaseAfterEach();

const money = `version: 1
rules:
  - { name: none abroad, action: pay, when: payload.country != "DE", decide: deny }
`;
const policy = `version: 1
include: [money]
default: allow
tests:
  - { action: pay, payload: { country: DE }, expect: allow }
`;

test('a set is part of each policy that includes it, and a decision names it', async () => {
  const started = await startTestPlacet();
  const { admin, agent } = started;
  const early = await admin.put('/v1/policies/default', policy);
  expect(early).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
  expect(early.body.message).toContain('there is no set "money": PUT it to /v1/policies/set:money first');

  await put(started, 'set:money', money);
  await put(started, 'default', policy);
  const { body } = await agent.check({ action_name: 'pay', payload: { country: 'FR' } });
  expect(body).toMatchObject({ decision: 'denied', rule: 'none abroad' });
  const set = (await admin.get('/v1/policies/set:money', { accept: 'application/json' })).body;
  expect(body.policies).toMatchObject([
    { scope: 'default', decide: 'deny', rule: 'none abroad' },
    { scope: 'set:money', digest: set.digest, revision: set.revision },
  ]);
});

test('a change of a set counts for whoever includes it, unless he would not keep his tests', async () => {
  const started = await startTestPlacet();
  const { admin, agent } = started;
  await put(started, 'set:money', money);
  await put(started, 'default', policy);
  const refused = await admin.put('/v1/policies/set:money', money.replace('"DE"', '"FR"'));
  expect(refused).toMatchObject({ status: 422, body: { error: 'POLICY_REFUSED' } });
  expect(refused.body.message).toContain('With it default could not be used');

  await put(
    started,
    'set:money',
    money.replace('payload.country', 'has(payload.amount) && payload.amount > 5 || payload.country'),
  );
  const ask = async (payload: object) => (await agent.check({ action_name: 'pay', payload })).body;
  expect(await ask({ country: 'DE', amount: 6 })).toMatchObject({ decision: 'denied' });
});

test('a set that somebody includes cannot be deleted, and nobody is held to a set alone', async () => {
  const started = await startTestPlacet();
  const { admin, agent } = started;
  await put(started, 'set:money', money);
  await put(started, 'default', policy);
  expect(await admin.delete('/v1/policies/set:money')).toMatchObject({
    status: 409,
    body: { error: 'IN_USE', details: { scopes: ['default'] } },
  });
  await put(started, 'default', 'version: 1\ndefault: allow\n');
  expect(await agent.check({ action_name: 'pay', payload: { country: 'FR' } })).toMatchObject({
    body: { decision: 'allowed' },
  });
  expect((await admin.delete('/v1/policies/set:money')).status).toBe(200);
});

test('a set that is deleted while a policy is put that includes it leaves no policy that cannot be used', async () => {
  const started = await startTestPlacet();
  const { admin, agent } = started;
  for (let round = 0; round < 5; round++) {
    await put(started, 'set:money', money);
    const [included, deleted] = await Promise.all([
      admin.put('/v1/policies/default', `${policy}# ${round}\n`),
      admin.delete('/v1/policies/set:money'),
    ]);
    expect([included.status, deleted.status].toSorted()).not.toEqual([200, 200]);
    const { body } = await agent.check({ action_name: 'pay', payload: { country: 'DE', round } });
    expect(body.reason).not.toContain('cannot be used');
    await put(started, 'default', 'version: 1\ndefault: allow\n');
  }
});

test('an include that is written with an escape is one too', async () => {
  const started = await startTestPlacet();
  await put(started, 'set:money', money);
  await put(started, 'default', '{"version": 1, "\\u0069nclude": ["money"], "default": "allow"}');
  expect((await started.admin.delete('/v1/policies/set:money')).status).toBe(409);
});
