import { eventually, releaseAfterEach, startTestPlacet } from '@placet/testing';
import { describe, expect, test } from 'vitest';
import { personWith } from '../support.ts';
import { ask, cardOf, startOtherChannels, startWithSlack, textOf } from './slack-support.ts';

releaseAfterEach();

async function startWithAll() {
  const { env, ...others } = await startOtherChannels();
  const started = await startWithSlack(
    {},
    {
      env,
    },
  );
  const tested = (id: string) => started.placet.admin.post(`/v1/channels/${encodeURIComponent(id)}/test`);
  return { ...started, ...others, tested };
}

describe('a channel that is mapped to a role', () => {
  test('is decided by whoever has it, and not by approvers any more, from the next approval on', async () => {
    const { slack, placet } = await startWithSlack();
    const { admin } = placet;
    const before = await ask(placet, 'refund.create');
    await cardOf(slack, before);
    const put = (role: string | null) => admin.put('/v1/channels/%23approvals', { role });
    expect((await put('treasurer')).body).toEqual({ id: '#approvals', role: 'treasurer' });
    expect((await admin.get('/v1/channels')).body.channels).toEqual([
      { id: '#approvals', role: 'treasurer' },
    ]);
    const treasurer = await personWith(placet, 'tess@example.com', ['treasurer']);
    const id = await eventually(async () => {
      const asked = await ask(placet, 'refund.create', { payload: { amount: Math.random() } });
      expect((await treasurer.get(`/v1/approvals/${asked}`)).status).toBe(200);
      return asked;
    });
    expect(
      (await treasurer.get('/v1/approvals?for=me')).body.approvals.map((one: { id: string }) => one.id),
    ).toContain(id);
    const { channel, ts } = await cardOf(slack, id);
    await slack.click({ user: 'U0ANN', channel, ts, actionId: 'approve' });
    expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('pending');
    expect(slack.ephemerals.at(-1)?.text).toContain('Your click was not counted.');
    await treasurer.vote(id, { vote: 'approve' });
    expect((await placet.agent.get(`/v1/check/${id}`)).body.decision).toBe('allowed');
    // Those who were asked before are asked still.
    expect((await treasurer.vote(before, { vote: 'approve' })).status).toBe(403);
    const card = await cardOf(slack, before);
    await slack.click({ user: 'U0ANN', channel: card.channel, ts: card.ts, actionId: 'approve' });
    expect((await placet.agent.get(`/v1/check/${before}`)).body.decision).toBe('allowed');

    await put(null);
    expect((await admin.get('/v1/channels')).body.channels).toEqual([]);
    await eventually(async () => {
      const asked = await ask(placet, 'refund.create', { payload: { amount: Math.random() } });
      expect((await treasurer.get(`/v1/approvals/${asked}`)).status).toBe(404);
    });
  });

  test('is so for whom a place is handed to, too', async () => {
    const { slack, placet } = await startWithSlack();
    await placet.admin.put('/v1/channels/%23finance', { role: 'treasurer' });
    const treasurer = await personWith(placet, 'tess@example.com', ['treasurer']);
    const id = await ask(placet, 'refund.create');
    await cardOf(slack, id);
    const handed = await placet.admin.post(`/v1/approvals/${id}/reassignments`, { to: ['#finance'] });
    expect(handed.status).toBe(200);
    expect((await treasurer.vote(id, { vote: 'approve' })).body).toMatchObject({ decision: 'allowed' });
  });

  test.each([
    ['%23approvals', { role: 'Treasurer' }],
    ['%23approvals', {}],
    ['role%3Aapprover', { role: 'treasurer' }],
    ['approvals', { role: 'treasurer' }],
  ])('%s with %j is refused', async (id, body) => {
    const { placet } = await startWithSlack();
    expect((await placet.admin.put(`/v1/channels/${id}`, body)).status).toBe(422);
  });
});

describe('a test', () => {
  test('arrives at each kind of channel, and decides nothing', async () => {
    const { slack, smtp, pagerduty, tested, placet } = await startWithAll();
    await personWith(placet, 'mia@example.com', ['manager']);
    for (const id of [
      '#approvals',
      'user:mia@example.com',
      'user:ann@example.com',
      'role:manager',
      'pagerduty:airline',
    ]) {
      const { body } = await tested(id);
      expect({ id, ok: body.ok }).toEqual({ id, ok: true });
    }
    expect(textOf({ blocks: slack.messages('#approvals') })).toContain('This is a test by Placet');
    expect(textOf({ blocks: slack.messages('U0ANN') })).toContain('This is a test by Placet');
    expect(smtp.mails.map(({ envelope }) => envelope.to)).toEqual([['mia@example.com'], ['mia@example.com']]);
    expect(pagerduty.incidents()).toMatchObject([{ status: 'resolved', severity: 'info' }]);
  });

  test('goes to people as an approval would: in their place of the workspace, and by mail where there is no Slack', async () => {
    const { slack, smtp, tested, placet } = await startWithAll();
    const annOf = async ({ admin }: typeof placet) =>
      (await admin.get('/v1/people')).body.people.find(
        ({ email }: { email: string }) => email === 'ann@example.com',
      ).id;
    const link = async (here: typeof placet, identities: object[]) =>
      here.admin.patch(`/v1/people/${await annOf(here)}`, { slack: identities });
    const elsewhere = { team: 'T0OTHER', user: 'U0BEN' };
    await link(placet, [elsewhere, { team: slack.teamId, user: 'U0ANN' }]);
    expect((await tested('user:ann@example.com')).body.results).toMatchObject([
      { channel: 'slack', ok: true },
    ]);
    expect(slack.messages('U0ANN')).toHaveLength(1);
    expect(slack.messages('U0BEN')).toHaveLength(0);
    await link(placet, [elsewhere]);
    expect((await tested('user:ann@example.com')).body.results).toMatchObject([
      { channel: 'slack', ok: false, message: expect.stringContaining('linked in another workspace') },
    ]);

    const { env, smtp: onlyMail } = await startOtherChannels();
    const without = await startTestPlacet({ env });
    await personWith(without, 'ann@example.com', ['approver']);
    await link(without, [{ team: slack.teamId, user: 'U0ANN' }]);
    const { body } = await without.admin.post('/v1/channels/user%3Aann%40example.com/test');
    expect(body.results).toMatchObject([{ channel: 'email', target: 'user:ann@example.com', ok: true }]);
    expect(onlyMail.mails.map(({ envelope }) => envelope.to)).toEqual([['ann@example.com']]);
    expect(smtp.mails).toEqual([]);
  });

  test('says in words what is wrong', async () => {
    const { slack, smtp, tested } = await startWithAll();
    slack.changeChannel('#approvals', { member: false });
    const results = async (id: string) => (await tested(id)).body.results;
    expect(await results('#approvals')).toEqual([
      {
        channel: 'slack',
        target: '#approvals',
        ok: false,
        message: 'Slack: not_in_channel; invite the app to the channel (/invite, then its name)',
      },
    ]);
    expect((await results('#nowhere'))[0].message).toContain('there is no such channel');
    expect((await results('pagerduty:hotel'))[0]).toMatchObject({
      ok: false,
      message: expect.stringContaining('hotel'),
    });
    slack.revokeToken();
    expect((await results('user:ann@example.com'))[0].message).toContain('the bot token was revoked');
    await smtp.close();
    expect((await results('user:admin@example.com'))[0]).toMatchObject({ ok: false, channel: 'email' });
    expect((await tested('user:nobody@example.com')).status).toBe(404);
    expect((await tested('approvals')).body.message).toContain('#channel');
  });

  test('of what is not set up says what to set', async () => {
    const { placet } = await startWithSlack();
    const { results } = (await placet.admin.post('/v1/channels/user%3Aadmin%40example.com/test')).body;
    expect(results[0]).toMatchObject({ ok: false, message: expect.stringContaining('PLACET_SMTP_URL') });
    const paged = (await placet.admin.post('/v1/channels/pagerduty%3Aairline/test')).body.results;
    expect(paged[0]).toMatchObject({ ok: false, message: expect.stringContaining('PLACET_PAGERDUTY_KEYS') });
    for (const path of ['/v1/channels/%23approvals/test']) {
      expect((await placet.agent.post(path)).status).toBe(403);
      const clerk = await personWith(placet, `clerk${Math.random()}@example.com`, ['approver']);
      expect((await clerk.post(path)).status).toBe(403);
    }
  });
});

test('what could not be delivered is a line among the notifications, the latest first', async () => {
  const { slack, placet } = await startWithSlack();
  slack.changeChannel('#approvals', { archived: true });
  const [first, second] = [await ask(placet, 'refund.create'), await ask(placet, 'refund.two')];
  const failed = (more = '') => placet.admin.get(`/v1/notifications?failed${more}`);
  await eventually(async () => {
    const { notifications, next } = (await failed()).body;
    expect(notifications.map((one: { action_id: string }) => one.action_id).toSorted()).toEqual(
      [first, second].toSorted(),
    );
    expect(next).toBeNull();
    expect(notifications[0]).toMatchObject({
      status: 'failed',
      channel: 'slack',
      target: '#approvals',
      agent: 'my-agent',
      about: 'approval.needed',
      attempts: 1,
      error: 'Slack: is_archived; the channel is archived',
    });
  });
  const page = (await failed('&limit=1')).body;
  const rest = (await failed(`&limit=1&cursor=${page.next}`)).body;
  expect(page.notifications[0].at >= rest.notifications[0].at).toBe(true);
  expect(new Set([page, rest].map(({ notifications }) => notifications[0].action_id)).size).toBe(2);
  expect((await failed('&agent=other')).body.notifications).toEqual([]);
  // With those that were delivered, in one line of time.
  slack.changeChannel('#approvals', { archived: false });
  const third = await ask(placet, 'refund.create', { payload: { amount: 22 } });
  await cardOf(slack, third);
  await eventually(async () => {
    const { notifications, next } = (await placet.admin.get('/v1/notifications?limit=1')).body;
    expect(notifications).toMatchObject([{ status: 'sent', action_id: third }]);
    const older = (await placet.admin.get(`/v1/notifications?limit=100&cursor=${next}`)).body;
    // Ann and Ben were told by name instead.
    const outcomes = older.notifications.map(({ status, target }: Record<string, string>) => [
      status,
      target,
    ]);
    expect(outcomes.filter(([status]: string[]) => status === 'failed')).toHaveLength(2);
    expect(outcomes.filter(([, target]: string[]) => target === 'user:ann@example.com')).toHaveLength(2);
  });
  expect((await placet.agent.get('/v1/notifications?failed')).status).toBe(403);
});
