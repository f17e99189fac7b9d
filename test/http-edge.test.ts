import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';

releaseAfterEach();

test('every answer tells browsers to be careful, errors and unknown paths too', async () => {
  const { agent } = await startTestPlacet();
  const answers = [
    await agent.check({ action_name: 'read' }),
    await agent.check('no JSON'),
    await agent.get('/v1/approvals'),
    await agent.get('/nothing-here'),
    await agent.get('/health'),
    await agent.get('/docs/static/index.html'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 400, 403, 404, 200, 200]);
  for (const { headers } of answers) {
    expect(Object.fromEntries(headers)).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
    });
    expect(headers.has('x-powered-by')).toBe(false);
  }
});

test('editors get the schema of the policy language without a credential, as the checkout has it', async () => {
  const { url } = await startTestPlacet();

  const response = await fetch(`${url}/policy.schema.json`);

  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/schema\+json/);
  expect(response.headers.get('cache-control')).toBe('public, max-age=300');
  const inCheckout = readFileSync(join(import.meta.dirname, '../docs/policy.schema.json'), 'utf8');
  expect(await response.text()).toBe(inCheckout);
});

test('a caller that hangs up is not waited for', async () => {
  const { url, agentKey, agent } = await startTestPlacet();
  const waiting = async () => {
    const { body } = await agent.get('/metrics');
    return Number(/^placet_waiting_callers (\d+)$/m.exec(body)?.[1]);
  };
  const caller = new AbortController();
  const asked = fetch(`${url}/v1/check?wait=60`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agentKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ action_name: 'refund' }),
    signal: caller.signal,
  });
  await eventually(async () => expect(await waiting()).toBe(1));
  caller.abort();
  await expect(asked).rejects.toThrow();
  await eventually(async () => expect(await waiting()).toBe(0));
});
