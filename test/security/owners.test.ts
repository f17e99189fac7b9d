import { expect, test } from 'vitest';
import { sharedPlacet } from '../support.ts';

const shared = sharedPlacet();

test('the owner of an agent is one email, or nobody yet: it is where mail is sent', async () => {
  const { admin } = shared();
  const strange = [
    'a@example.com\r\nRCPT TO:<evil@evil.example>',
    'a@example.com, evil@evil.example',
    'Placet <evil@evil.example>',
    'a@example.com>\r\nBcc: e@evil.example',
    'dana',
    '',
  ];
  for (const owner of strange) {
    const { status, body } = await admin.post('/v1/agents', { name: 'robot', owner });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('must be an email, or unassigned');
  }
  for (const [n, owner] of ['Dana@Example.com', "o'neil+x@example.com", 'unassigned'].entries()) {
    const made = await admin.post('/v1/agents', { name: `robot-${n}`, owner });
    expect(made).toMatchObject({ status: 201, body: { agent: { owner } } });
  }
});

test('an owner that was stored before that was asked for is read as it is', async () => {
  const { admin, placet } = shared();
  const { key } = await placet.gateway.agents.create('old', 'the payments team', 'system', new Date());
  expect((await admin.get('/v1/agents/old')).body.owner).toBe('the payments team');
  expect(key).toEqual(expect.any(String));
});
