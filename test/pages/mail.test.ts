import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { letters, linksIn, startWithEmail } from '../channels/email-support.ts';
import { alarmKinds, held, messagesIn, rawBroker } from '../support.ts';
import { createVisitor, signedIn, textOf } from './visitor.ts';

releaseAfterEach();

type Started = Awaited<ReturnType<typeof startWithEmail>>;

/** A mail to Mia, and its page. */
async function mailed(started: Started, more: object = {}, count = 1) {
  const { smtp, placet } = started;
  const id = await held(placet, more);
  const mails = await letters(smtp, 'mia@example.com', count);
  const [link = ''] = linksIn(mails.at(-1));
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${id}`)).body;
  const { pathname: path } = new URL(link);
  return { id, path, link, payload_digest: payload_digest as string, code: await codeOn(started, path) };
}
/** The digits that stand on the page. */
async function codeOn({ placet }: Started, path: string): Promise<string> {
  const { text } = await createVisitor(placet.url).get(path);
  return /Type <strong>(\d{4})</.exec(text)?.[1] ?? expect.fail('no digits on the page');
}
/** So many that are not on the page. */
const wrongDigits = (code: string, count: number) =>
  Array.from({ length: count }, (_, n) => String((Number(code) + 1 + n) % 10_000).padStart(4, '0'));
const decisionOf = async ({ placet }: Started, id: string) =>
  (await placet.agent.get(`/v1/check/${id}`)).body;

test('the link of a mail shows what is asked as often as it is opened, and decides once by a button', async () => {
  const started = await startWithEmail();
  const { id, path, link, payload_digest, code } = await mailed(started, {
    reasoning: 'The parcel was lost.',
  });
  expect(link).toMatch(/^https:\/\/placet\.example\.com\/mail\/[\w-]{43}$/);
  const mia = createVisitor(started.placet.url);
  for (let i = 0; i < 5; i++) {
    const seen = await mia.get(path);
    expect(seen.status).toBe(200);
    expect(textOf(seen)).toContain('The parcel was lost.');
    expect(textOf(seen)).toContain('For mia@example.com');
    expect(Object.fromEntries(seen.headers)).toMatchObject({
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  }
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });
  const fields = { decide: 'approve', comment: 'fine', payload_digest, code };
  const sent = await mia.send(`${path}/votes`, fields);
  expect(sent).toMatchObject({ status: 303, location: `${path}?said=decided` });
  expect(await decisionOf(started, id)).toMatchObject({
    decision: 'allowed',
    decided_by: ['person:mia@example.com'],
  });
  const view = (await started.placet.admin.get(`/v1/approvals/${id}`)).body;
  expect(view.votes).toMatchObject([{ by: 'mia@example.com', comment: 'fine' }]);
  await eventually(async () => {
    const { records } = (await started.placet.admin.get(`/v1/audit?action=${id}&type=approval.voted`)).body;
    expect(JSON.parse(records[0].body).data.channel).toBe('email');
  });
  expect(textOf(await mia.get(path))).toContain('It is decided.');
  expect(await mia.send(`${path}/votes`, { ...fields, decide: 'reject' })).toMatchObject({ status: 409 });
});

test('a link is used once: who wants to say something else signs in', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started, { action_name: 'refund.two' });
  const mia = createVisitor(started.placet.url);
  expect(await mia.send(`${path}/votes`, { decide: 'approve', payload_digest, code })).toMatchObject({
    status: 303,
  });
  const again = await mia.send(`${path}/votes`, { decide: 'reject', payload_digest, code });
  expect(again.status).toBe(409);
  expect(textOf(again)).toContain('This link has been used. Sign in to change what you said.');
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });
});

test('a vote that is refused leaves the link as it was', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const mia = createVisitor(started.placet.url);
  expect(await mia.send(`${path}/votes`, { decide: 'maybe', payload_digest, code })).toMatchObject({
    status: 422,
  });
  expect(await mia.send(`${path}/votes`, { decide: 'reject', payload_digest, code })).toMatchObject({
    status: 303,
  });
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'denied' });
});

test('who is no longer asked, and what has been changed since, is said on the page', async () => {
  const started = await startWithEmail();
  const { smtp, placet } = started;
  const mia = createVisitor(placet.url);
  const { path, payload_digest, id, code } = await mailed(started, {
    action_name: 'refund.two',
    accepts: ['edits'],
  });
  const changes = { payload_digest, changes: { 'payload.amount': 15 } };
  expect((await started.max.post(`/v1/approvals/${id}/edits`, changes)).status).toBe(200);
  expect(textOf(await mia.get(path))).toContain('It has been changed since this mail was sent.');
  expect(await mia.send(`${path}/votes`, { decide: 'approve', payload_digest, code })).toMatchObject({
    status: 409,
  });
  // The newest mail has a link for it as it is now.
  const [, changed] = await letters(smtp, 'mia@example.com', 2);
  const newest = new URL(linksIn(changed)[0] ?? '').pathname;
  const newCode = await codeOn(started, newest);
  const now = (await placet.admin.get(`/v1/approvals/${id}`)).body.payload_digest;
  await placet.admin.patch(`/v1/people/${started.mia.id}`, { roles: ['clerk'] });
  await eventually(async () => expect((await mia.get(newest)).status).toBe(404));
  const sent = await mia.send(`${newest}/votes`, { decide: 'approve', payload_digest: now, code: newCode });
  expect(sent.status).toBe(404);
  await placet.admin.patch(`/v1/people/${started.mia.id}`, { roles: ['manager'] });
  await eventually(async () => expect((await mia.get(newest)).status).toBe(200));
  expect(
    await mia.send(`${newest}/votes`, { decide: 'approve', payload_digest: now, code: newCode }),
  ).toMatchObject({
    status: 303,
  });
  await placet.admin.patch(`/v1/people/${started.mia.id}`, { disabled: true });
  await eventually(async () => expect((await mia.get(newest)).status).toBe(410));
});

test('the link of somebody who was disabled is over, also when they are back', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const mia = createVisitor(started.placet.url);
  for (const disabled of [true, false]) {
    await started.placet.admin.patch(`/v1/people/${started.mia.id}`, { disabled });
    const sent = await mia.send(`${path}/votes`, { decide: 'approve', payload_digest, code });
    expect(sent.status).toBe(410);
  }
  expect((await started.placet.admin.get(`/v1/approvals/${id}`)).body.votes).toEqual([]);
});

test('a program that sends the form is asked for something that it would have to read', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const robot = createVisitor(started.placet.url);
  const fields = { decide: 'approve', payload_digest, comment: 'kept "as it is"' };
  for (const wrong of ['', ' ', 'abcd', code === '1234' ? '1235' : '1234']) {
    const asked = await robot.send(`${path}/votes`, { ...fields, code: wrong });
    expect(asked.status).toBe(422);
    expect(textOf(asked)).toContain('Type the four digits');
    expect(textOf(asked)).toContain('kept "as it is"');
  }
  expect(await robot.send(`${path}/edits`, fields)).toMatchObject({ status: 422 });
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });
  expect(await robot.send(`${path}/votes`, { ...fields, code })).toMatchObject({ status: 303 });
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'allowed' });
});

test('who guesses the digits has ten guesses; what are no four digits is none', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const robot = createVisitor(started.placet.url);
  const fields = { decide: 'approve', payload_digest };
  const guess = (given: string) => robot.send(`${path}/votes`, { ...fields, code: given });
  for (const none of ['', 'scanned', '12345', 'a@example.com']) {
    for (let i = 0; i < 4; i++) expect(await guess(none)).toMatchObject({ status: 422 });
  }
  expect(textOf(await robot.get(path))).not.toContain('too often');
  for (const wrong of wrongDigits(code, 10)) await guess(wrong);
  expect(await guess(code)).toMatchObject({ status: 409 });
  expect(textOf(await robot.get(path))).toContain('wrong digits were entered too often. Sign in to decide.');
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });
  // What the page says is a way that there is.
  const mia = await signedIn(started.placet, started.mia.id);
  await mia.get(`/approvals/${id}`);
  expect(await mia.send(`/approvals/${id}/votes`, fields)).toMatchObject({ status: 303 });
});

test('however many digits are sent at once, ten are compared', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const robot = createVisitor(started.placet.url);
  const guess = (given: string) =>
    robot.send(`${path}/votes`, { decide: 'approve', payload_digest, code: given });
  const answers = await Promise.all(wrongDigits(code, 100).map(guess));
  const compared = answers.filter(({ status }) => status === 422);
  expect(compared).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(90);
  expect(await guess(code)).toMatchObject({ status: 409 });
  expect(textOf(await robot.get(path))).toContain('wrong digits were entered too often.');
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });

  const signIn = await askedToSignIn(started, 'mia@example.com', 2);
  const right = await codeOn(started, signIn);
  const others = wrongDigits(right, 100).map((one) => robot.send(signIn, { code: one }));
  const refused = (await Promise.all(others)).filter(({ status }) => status === 422);
  expect(refused).toHaveLength(10);
  expect(await robot.send(signIn, { code: right })).toMatchObject({ status: 410 });
});

test('who knows the digits is not counted as guessing, also when what they send is refused', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const mia = createVisitor(started.placet.url);
  for (let i = 0; i < 12; i++) {
    const refused = await mia.send(`${path}/votes`, { decide: 'maybe', payload_digest, code });
    expect(refused.status).toBe(422);
    expect(textOf(refused)).not.toContain('Type the four digits that stand beside the field, and press');
  }
  expect(await mia.send(`${path}/votes`, { decide: 'approve', payload_digest, code })).toMatchObject({
    status: 303,
  });
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'allowed' });
});

test('another site cannot have a browser send the form', async () => {
  const started = await startWithEmail();
  const { id, path, payload_digest, code } = await mailed(started);
  const mia = createVisitor(started.placet.url);
  const headers = { 'sec-fetch-site': 'cross-site' };
  expect(await mia.send(`${path}/votes`, { decide: 'approve', payload_digest, code }, headers)).toMatchObject(
    {
      status: 403,
    },
  );
  expect(await decisionOf(started, id)).toMatchObject({ decision: 'pending' });
});

/** The link of the newest mail to sign in by. */
async function askedToSignIn({ smtp, placet }: Started, email = 'mia@example.com', count = 1) {
  const visitor = createVisitor(placet.url);
  await visitor.send('/sign-in', { email });
  const mails = await letters(smtp, email, count);
  return /\/sign-in\/[\w-]{43}/.exec(mails.at(-1)?.text ?? '')?.[0] ?? expect.fail('no link');
}

test('whoever asks for a link to sign in by gets it by mail, and nobody learns who there is', async () => {
  const started = await startWithEmail();
  const { smtp, placet } = started;
  const mia = createVisitor(placet.url);
  const [known, unknown] = [
    await mia.send('/sign-in', { email: ' Mia@Example.com' }),
    await mia.send('/sign-in', { email: 'eve@example.com' }),
  ];
  expect(known.text).toBe(unknown.text);
  const [mail] = await letters(smtp, 'mia@example.com');
  const path = /\/sign-in\/[\w-]{43}/.exec(mail?.text ?? '')?.[0] ?? expect.fail('no link');
  const code = await codeOn(started, path);
  expect(await mia.send(path, { code })).toMatchObject({ status: 303 });
  expect(textOf(await mia.get('/account'))).toContain('mia@example.com');
  for (let i = 0; i < 5; i++) await mia.send('/sign-in', { email: 'mia@example.com' });
  await letters(smtp, 'mia@example.com', 3);
  expect(smtp.mails.filter(({ envelope }) => envelope.to.includes('eve@example.com'))).toEqual([]);
});

test('a mailed link to sign in by wants its digits: without them nobody is signed in, and it stays as it was', async () => {
  const started = await startWithEmail();
  const path = await askedToSignIn(started);
  const code = await codeOn(started, path);
  const scanner = createVisitor(started.placet.url);
  for (const given of ['', 'scanned', 'mia@example.com']) {
    const asked = await scanner.send(path, { code: given });
    expect(asked.status).toBe(422);
    expect(textOf(asked)).toContain('Type the four digits');
  }
  expect(await scanner.send(path, {})).toMatchObject({ status: 422 });
  expect(scanner.jar.size).toBe(0);
  const mia = createVisitor(started.placet.url);
  expect(await mia.send(path, { code })).toMatchObject({ status: 303, location: '/approvals' });
  expect(await scanner.send(path, { code })).toMatchObject({ status: 410 });

  const other = await askedToSignIn(started, 'mia@example.com', 2);
  const right = await codeOn(started, other);
  for (const wrong of wrongDigits(right, 10)) await scanner.send(other, { code: wrong });
  expect(textOf(await scanner.send(other, { code: right }))).toContain('Ask for another.');
  expect(scanner.jar.size).toBe(0);
});

test('a link to sign in by goes from the gateway to the mail server, and over no bus', async () => {
  const started = await startWithEmail();
  const raw = await rawBroker(started.placet.placet);
  const heard: string[] = [];
  raw.nc.subscribe('>', {
    callback: (_, { subject, data }) => void heard.push(`${subject} ${new TextDecoder().decode(data)}`),
  });
  await raw.nc.flush();
  const path = await askedToSignIn(started);
  await raw.nc.flush();
  // It was listened to what there was to be heard.
  expect(heard.join('\n')).toContain('$KV.placet-sessions.');
  const streams = await raw.jsm.streams.list().next();
  for (const { config } of streams.filter(({ state }) => state.messages > 0)) {
    heard.push(...(await messagesIn(raw, config.name)).map(({ subject, text }) => `${subject} ${text}`));
  }
  const token = path.split('/').at(-1) ?? '';
  expect(heard.filter((one) => one.includes(token))).toEqual([]);
});

test('a link to sign in by that cannot be mailed is an alarm', async () => {
  const started = await startWithEmail({ smtp: { unknown: ['mia@example.com'] } });
  const raw = await rawBroker(started.placet.placet);
  const said = await createVisitor(started.placet.url).send('/sign-in', { email: 'mia@example.com' });
  expect(said.status).toBe(200);
  await eventually(async () => expect(await alarmKinds(raw)).toContain('sign_in_mail_failed'));
});
