import { releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { held, personWith, rawBroker } from '../support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - { action: refund.create, decide: require_approval, approvers: ["role:manager"] }
default: require_approval
`;
const mail = {
  PLACET_PUBLIC_URL: 'https://placet.example.com',
  PLACET_MAIL_FROM: 'placet@example.com',
  PLACET_SMTP_URL: 'smtp://127.0.0.1:9',
};

/** As whoever has become the notifier would ask. */
async function asked(placet: TestPlacet, data: Record<string, string>) {
  const { nc } = await rawBroker(placet.placet);
  const question = { id: `${Math.random()}`, at: new Date().toISOString(), data };
  const reply = await nc.request('placetrpc.gateway.mail_link', JSON.stringify(question), { timeout: 5000 });
  return reply.json<{ ok: boolean; code?: string; data?: { url: string } }>();
}

test('whoever has become the notifier gets links for those who may vote, on what waits, and for nothing else', async () => {
  const placet = await startTestPlacet({ policy, env: mail });
  const [mia, clerk, gone] = [
    await personWith(placet, 'mia@example.com', ['manager']),
    await personWith(placet, 'clerk@example.com', ['clerk']),
    await personWith(placet, 'gone@example.com', ['manager']),
  ];
  await placet.admin.patch(`/v1/people/${gone.id}`, { disabled: true });
  const action_id = await held(placet);
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${action_id}`)).body;
  const right = { agent: 'my-agent', action_id, person: mia.id, payload_digest };
  expect(await asked(placet, right)).toMatchObject({
    ok: true,
    data: { url: expect.stringContaining('/mail/') },
  });
  const other = `sha256:${'0'.repeat(64)}`;
  for (const [wrong, code] of [
    [{ person: clerk.id }, 'NOT_ELIGIBLE'],
    [{ person: gone.id }, 'NOT_FOUND'],
    [{ person: 'per_000000000000000000000000' }, 'NOT_FOUND'],
    [{ payload_digest: other }, 'STALE_PAYLOAD'],
    [{ action_id: 'act_00000000000000000000000000000000' }, 'NOT_FOUND'],
  ] as const) {
    expect(await asked(placet, { ...right, ...wrong })).toMatchObject({ ok: false, code });
  }
  await mia.vote(action_id, { vote: 'approve' });
  expect(await asked(placet, right)).toMatchObject({ ok: false, code: 'NOT_FOUND' });
});

test('where no mail is sent, there are none to be had', async () => {
  const placet = await startTestPlacet({ policy });
  const mia = await personWith(placet, 'mia@example.com', ['manager']);
  const action_id = await held(placet);
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${action_id}`)).body;
  const question = { agent: 'my-agent', action_id, person: mia.id, payload_digest };
  expect(await asked(placet, question)).toMatchObject({ ok: false, code: 'FORBIDDEN' });
});
