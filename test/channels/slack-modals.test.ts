import { eventually, releaseAfterEach } from '@placet/testing';
import { expect, test } from 'vitest';
import { textOf as pageText, signedIn } from '../pages/visitor.ts';
import { ask, cardOf, startWithSlack, textOf } from './slack-support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - action: reason
    decide: require_approval
    approvers: ["#approvals"]
    require_reason: always
  - action: edit
    decide: require_approval
    approvers: ["#approvals"]
    editable: [payload.amount, payload.note]
  - action: ask
    decide: require_approval
    approvers: ["user:ann@example.com", "role:treasurer"]
    remind: [1%]
    timeout: 60s
  - action: inbox
    decide: require_approval
    approvers: ["#approvals"]
    only_in: [inbox]
default: require_approval
`;
const start = (env: Record<string, string> = {}) =>
  startWithSlack({}, { policy, env: { PLACET_PUBLIC_URL: 'https://placet.example.com', ...env } });
type Started = Awaited<ReturnType<typeof start>>;

const [ann = '', ben = ''] = ['U0ANN', 'U0BEN'];
const press = ({ channel, ts }: { channel: string; ts: string }, user: string, actionId: string) => ({
  user,
  channel,
  ts,
  actionId,
});
/** What Eve has entered as a code, though no modal was opened before her. */
const entered = (
  slack: Started['slack'],
  code: string,
  { user = 'U0EVE', team = slack.teamId }: { user?: string; team?: string } = {},
) =>
  slack.deliver({
    type: 'view_submission',
    user: { id: user, team_id: team },
    team: { id: team },
    view: {
      callback_id: 'placet_link',
      private_metadata: '{}',
      state: { values: { code: { value: { value: code } } } },
    },
  });
const onlyView = ({ slack }: Started) => {
  const [view] = [...slack.views.values()].slice(-1);
  return view ?? expect.fail('no modal is open');
};

test('a reason that is wanted is asked for in a modal', async () => {
  const started = await start();
  const { slack, placet } = started;
  const id = await ask(placet, 'reason');
  const card = await cardOf(slack, id);
  await slack.click(press(card, ann, 'reject'));
  const view = onlyView(started);
  expect(JSON.stringify(view.modal)).toContain('The policy wants a reason for this.');
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');
  await slack.submit({ user: ann, viewId: view.id, values: { comment: 'too much' } });
  const { body } = await placet.agent.get(`/v1/check/${id}`);
  expect(body).toMatchObject({ decision: 'denied', reason: 'too much' });
  expect(slack.views.size).toBe(0);
  await eventually(async () =>
    expect(textOf(await cardOf(slack, id))).toContain('ann@example.com rejected: too much'),
  );

  const second = await ask(placet, 'reason', { payload: { amount: 21 } });
  const stale = await cardOf(slack, second);
  await slack.click(press(stale, ann, 'approve'));
  await placet.admin.post(`/v1/approvals/${second}/votes`, { vote: 'reject', comment: 'first' });
  const late = await slack.submit({ user: ann, viewId: onlyView(started).id, values: { comment: 'fine' } });
  expect(late.body).toEqual({
    response_action: 'errors',
    errors: { comment: 'This is decided already. Your click was not counted.' },
  });
});

test('what may be changed is changed in a modal, and the card says so', async () => {
  const started = await start();
  const { slack, placet } = started;
  const id = await ask(placet, 'edit', { payload: { amount: 20, note: 'a' }, accepts: ['edits'] });
  await slack.click(press(await cardOf(slack, id), ann, 'edit'));
  const view = onlyView(started);
  const wrong = await slack.submit({ user: ann, viewId: view.id, values: { 'change.0': 'forty' } });
  expect(wrong.body).toMatchObject({ response_action: 'errors', errors: { 'change.0': expect.any(String) } });
  const same = await slack.submit({ user: ann, viewId: view.id, values: {} });
  expect(JSON.stringify(same.body)).toContain('Nothing is written otherwise than it stands.');
  await slack.submit({ user: ann, viewId: view.id, values: { 'change.0': '40' } });
  await eventually(async () =>
    expect(textOf(await cardOf(slack, id))).toContain('Changed by ann@example.com; earlier votes are void.'),
  );
  await slack.click(press(await cardOf(slack, id), ben, 'approve'));
  const { body } = await placet.agent.get(`/v1/check/${id}`);
  expect(body).toMatchObject({ decision: 'allowed', payload: { amount: 40, note: 'a' } });
});

test('what Slack has no room for, or would not show, is not changed there', async () => {
  const { slack, placet } = await start();
  for (const note of ['x'.repeat(3001), 'a\u200bb']) {
    const id = await ask(placet, 'edit', { payload: { amount: 20, note }, accepts: ['edits'] });
    await slack.click(press(await cardOf(slack, id), ann, 'edit'));
    await eventually(() =>
      expect(slack.ephemerals.at(-1)?.text).toContain(`https://placet.example.com/approvals/${id}`),
    );
  }
  expect(slack.views.size).toBe(0);
});

test('a card leads to its page, and leaves to it what is decided there alone', async () => {
  const { slack, placet } = await start();
  const id = await ask(placet, 'inbox');
  const card = await cardOf(slack, id);
  expect(textOf(card)).toContain(`"url":"https://placet.example.com/approvals/${id}"`);
  expect(textOf(card)).toContain('The policy wants this to be decided on its page, signed in to Placet.');
  expect(textOf(card)).not.toContain('"action_id":"approve"');
  // Whoever makes the click by hand all the same is refused.
  const { payload_digest } = (await placet.admin.get(`/v1/approvals/${id}`)).body;
  await slack.deliver({
    type: 'block_actions',
    user: { id: ann, team_id: slack.teamId },
    team: { id: slack.teamId },
    trigger_id: 'x',
    actions: [{ action_id: 'approve', value: JSON.stringify({ action_id: id, payload_digest }) }],
  });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');
});

test('people who are asked by name are told in a message of their own, also of what is said meanwhile', async () => {
  const { slack, placet } = await start();
  const id = await ask(placet, 'ask');
  const [card] = await eventually(() => {
    const found = slack.messages(ann);
    expect(found).toHaveLength(1);
    return found;
  });
  if (!card) throw new Error('no card');
  expect(textOf(card)).toContain('0 of 1: user:ann@example.com, role:treasurer');
  expect(slack.messages(ben)).toHaveLength(0);
  await placet.admin.post(`/v1/approvals/${id}/comments`, { comment: 'Is it <@U0BEN> due?' });
  const said = await eventually(() => {
    const replies = slack.messages(ann).filter(({ threadTs }) => threadTs === card.ts);
    // The reminder comes after 1 % of the minute, and the comment when it was made.
    expect(replies).toHaveLength(2);
    return replies.map(textOf).join('\n');
  });
  expect(said).toContain('admin@example.com says: Is it <@U0BEN> due?');
  expect(said).toContain('"type":"plain_text"');
  expect(said).toContain('It still waits: user:ann@example.com, role:treasurer.');
  await slack.click({ user: ann, channel: card.channel, ts: card.ts, actionId: 'approve' });
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
  const sent = (await placet.admin.get(`/v1/audit?action=${id}&type=notification.sent`)).body.records;
  expect(sent.map(({ body }: { body: string }) => JSON.parse(body).data.target)).toEqual([
    'user:ann@example.com',
  ]);
});

test('whoever is not known links themselves by a code of their own page', async () => {
  const started = await start();
  const { slack, placet } = started;
  const { people } = (await placet.admin.get('/v1/people')).body;
  const person = people.find(({ email }: { email: string }) => email === 'ben@example.com').id;
  await placet.admin.patch(`/v1/people/${person}`, { slack: [] });
  const id = await ask(placet, 'edit');
  const card = await cardOf(slack, id);
  await slack.click(press(card, ben, 'approve'));
  const view = onlyView(started);
  expect(JSON.stringify(view.modal)).toContain('https://placet.example.com/account');
  const refused = await slack.submit({ user: ben, viewId: view.id, values: { code: 'AAAA-BBBB-CCCC' } });
  expect(refused.body).toMatchObject({ errors: { code: expect.stringContaining('not known') } });

  const page = await signedIn(placet, person);
  await page.get('/account');
  const shown = pageText(await page.send('/account/slack-codes', {}));
  const code = /\b([A-Z2-9]{4}-){2}[A-Z2-9]{4}\b/.exec(shown)?.[0] ?? expect.fail('no code');
  await slack.submit({
    user: ben,
    viewId: view.id,
    values: { code: code.toLowerCase().replaceAll('-', ' ') },
  });
  expect(JSON.stringify(onlyView(started).modal)).toContain('In Slack you are ben@example.com from now on.');
  expect(pageText(await page.get('/account'))).toContain(`U0BEN of ${slack.teamId}`);
  await slack.click(press(card, ben, 'approve'));
  const { body } = await placet.agent.get(`/v1/check/${id}`);
  expect(body).toMatchObject({ decision: 'allowed', decided_by: ['person:ben@example.com'] });

  await entered(slack, code);
  expect(pageText(await page.get('/account'))).not.toContain('U0EVE');
  await page.send('/account/slack/unlink', { team: slack.teamId, user: ben });
  expect(pageText(await page.get('/account'))).not.toContain('U0BEN of');
});

test('who cannot be linked, or is linked often enough, keeps the account as it was', async () => {
  const { slack, placet } = await start();
  const { people } = (await placet.admin.get('/v1/people')).body;
  const { id } = people.find(({ email }: { email: string }) => email === 'ben@example.com');
  const page = await signedIn(placet, id);
  const code = async () =>
    /\b([A-Z2-9]{4}-){2}[A-Z2-9]{4}\b/.exec(pageText(await page.send('/account/slack-codes', {})))?.[0] ?? '';
  const link = async (who: { user?: string; team?: string }) =>
    (await entered(slack, await code(), who)).body;
  for (const strange of [{ team: '' }, { user: 'B0BOT' }, { team: 'not a team' }]) {
    expect(await link(strange)).toMatchObject({
      errors: { code: expect.stringContaining('which workspace') },
    });
  }
  // The same one again is the same.
  expect(await link({ user: ben })).toMatchObject({ response_action: 'update' });
  const numbers = Array.from({ length: 9 }, (_, n) => `U0BEN${n}`);
  for (const user of numbers) expect(await link({ user })).toMatchObject({ response_action: 'update' });
  expect(await link({ user: 'U0TOOMANY' })).toMatchObject({
    errors: { code: expect.stringContaining('10') },
  });
  const linked = (await placet.admin.get(`/v1/people/${id}`)).body.slack;
  expect(linked.map(({ user }: { user: string }) => user)).toEqual([ben, ...numbers]);
  expect(await page.get('/account')).toMatchObject({ status: 200 });
});

test('a code of somebody who was disabled since links nobody, also when they are back', async () => {
  const { slack, placet } = await start();
  const { people } = (await placet.admin.get('/v1/people')).body;
  const { id } = people.find(({ email }: { email: string }) => email === 'ben@example.com');
  const page = await signedIn(placet, id);
  const shown = pageText(await page.send('/account/slack-codes', {}));
  const code = /\b([A-Z2-9]{4}-){2}[A-Z2-9]{4}\b/.exec(shown)?.[0] ?? expect.fail('no code');
  for (const disabled of [true, false]) await placet.admin.patch(`/v1/people/${id}`, { disabled });
  expect((await entered(slack, code)).body).toMatchObject({
    errors: { code: expect.stringContaining('not known, or over') },
  });
  const { slack: linked } = (await placet.admin.get(`/v1/people/${id}`)).body;
  expect(linked).toEqual([{ team: slack.teamId, user: ben }]);
});

test('a code is guessed at ten times, and then not for a while', async () => {
  const { slack } = await start();
  const guess = async (code: string) => {
    const { body } = await entered(slack, code);
    return (body as { errors: { code: string } }).errors.code;
  };
  const said: string[] = [];
  for (let i = 0; i < 11; i++) said.push(await guess(`AAAABBBBCCC${'ABCDEFGHJKL'[i]}`));
  expect(new Set(said.slice(0, 10))).toEqual(new Set([said[0]]));
  expect(said[10]).toContain('Too many attempts');
});

/** The last of so many, and those before are gone. */
const onlySocket = ({ sockets }: Started['slack'], greeted: number) =>
  eventually(() =>
    expect({ open: sockets.open(), greeted: sockets.greeted() }).toEqual({ open: 1, greeted }),
  );

test('where Slack cannot reach the gateway, the gateway calls Slack', async () => {
  const { slack, placet } = await startWithSlack({}, { policy, isBySocket: true });
  await eventually(() => expect(slack.sockets.open()).toBe(1));
  const id = await ask(placet, 'edit');
  await slack.click(press(await cardOf(slack, id), ann, 'approve'));
  expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
  // Slack ends connections now and then.
  slack.sockets.disconnect();
  await onlySocket(slack, 2);
  slack.sockets.cut();
  await onlySocket(slack, 3);
  const wanting = await ask(placet, 'reason');
  await slack.click(press(await cardOf(slack, wanting), ann, 'approve'));
  const [view] = slack.views.values();
  await slack.submit({ user: ann, viewId: view?.id ?? '', values: { comment: 'fine' } });
  expect((await placet.agent.get(`/v1/check/${wanting}`)).body.decision).toBe('allowed');
  expect(await placet.agent.post('/slack/interactive', {})).toMatchObject({ status: 404 });
});
