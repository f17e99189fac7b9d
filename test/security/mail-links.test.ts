import { eventually, releaseAfterEach, startTestPlacet, type TestPlacet } from '@placet/testing';
import { expect, test } from 'vitest';
import { letters, linksIn, startWithEmail } from '../channels/email-support.ts';
import { createVisitor, signedIn, textOf } from '../pages/visitor.ts';
import { alarmKinds, held, personWith, rawBroker } from '../support.ts';

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

test('where there is no room for links, mails lead to where people sign in, and all can', async () => {
  const started = await startWithEmail();
  const { smtp, placet } = started;
  const raw = await rawBroker(placet.placet);
  const before = await held(placet, { payload: { amount: 1 } });
  const [first] = await letters(smtp, 'mia@example.com');
  const { config } = await raw.jsm.streams.info('KV_placet-mail-links');
  await raw.jsm.streams.update(config.name, { ...config, max_bytes: 1 });

  const id = await held(placet, { payload: { amount: 2 } });
  const [, mail] = await letters(smtp, 'mia@example.com', 2);
  expect(linksIn(mail)).toEqual([`https://placet.example.com/approvals/${id}`]);
  await eventually(async () => expect(await alarmKinds(raw)).toContain('mail_links_full'));
  // A link from before cannot be noted as used, and says what to do.
  const { pathname: path } = new URL(linksIn(first)[0] ?? '');
  const visitor = createVisitor(placet.url);
  const shown = await visitor.get(path);
  const code = /Type <strong>(\d{4})</.exec(shown.text)?.[1] ?? '';
  const payload_digest = /name="payload_digest" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';
  const late = await visitor.send(`${path}/votes`, { decide: 'approve', code, payload_digest });
  expect(textOf(late)).toContain('Sign in to decide.');
  expect((await placet.agent.get(`/v1/check/${before}`)).body.decision).toBe('pending');

  const mia = await signedIn(placet, started.mia.id);
  await mia.get(`/approvals/${id}`);
  await mia.send(`/approvals/${id}/votes`, {
    decide: 'approve',
    payload_digest: (await placet.admin.get(`/v1/approvals/${id}`)).body.payload_digest,
  });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
});

test('a link takes no room when its time is over, also when it was tried', async () => {
  const placet = await startTestPlacet({ policy });
  const raw = await rawBroker(placet.placet);
  const { id } = (await placet.admin.get('/v1/people/me')).body;
  const base = placet.url;
  const { state: empty } = await raw.jsm.streams.info('KV_placet-sessions');
  const [tried, left] = [1, 2].map(() =>
    placet.placet.gateway.signInLinks.make(id, { base, lifeMs: 1500, isMailed: true }),
  );
  await left;
  const { url } = await (tried ?? expect.fail('no link'));
  const { pathname } = new URL(url);
  const { text } = await createVisitor(base).get(pathname);
  const code = /Type <strong>(\d{4})</.exec(text)?.[1] === '0000' ? '1111' : '0000';
  expect(await createVisitor(base).send(pathname, { code })).toMatchObject({ status: 422 });
  expect((await raw.jsm.streams.info('KV_placet-sessions')).state.messages).toBe(empty.messages + 2);
  await eventually(async () => {
    const { state } = await raw.jsm.streams.info('KV_placet-sessions');
    expect(state.messages).toBe(empty.messages);
  });
});
