import { createHmac } from 'node:crypto';
import { WebClient } from '@slack/web-api';
import { describe, expect, it } from 'vitest';
import { releaseAfterEach } from '../cleanup.ts';
import { createClient } from '../client.ts';
import { startFakeSlack } from './slack.ts';
import type { SlackOptions } from './slack-workspace.ts';
import { quiet, startApp } from './test-app.ts';

releaseAfterEach();

const channel = 'C0APPROVALS';
const user = 'U0ANN';
const plain = (text: string) => ({ type: 'plain_text' as const, text });
const decide = (...values: string[]) => [
  {
    type: 'actions' as const,
    block_id: 'decide',
    elements: values.map((value, n) => ({
      type: 'button' as const,
      action_id: n === 0 ? 'approve' : `approve-${n}`,
      value,
      text: plain('Approve'),
    })),
  },
];
const reason = {
  type: 'input' as const,
  block_id: 'reason',
  label: plain('Why'),
  element: { type: 'plain_text_input' as const, action_id: 'text', max_length: 10 },
};
const rule = {
  type: 'input' as const,
  block_id: 'rule',
  optional: true,
  label: plain('From now on'),
  element: {
    type: 'static_select' as const,
    action_id: 'choice',
    options: [{ text: plain('Allow'), value: 'allow' }],
  },
};
const modal = {
  type: 'modal' as const,
  callback_id: 'deny',
  title: plain('Deny'),
  submit: plain('Send'),
  private_metadata: 'case-1',
  blocks: [reason, rule],
};

async function started(options: SlackOptions = {}, answer?: Parameters<typeof startApp>[0]) {
  const slack = await startFakeSlack(options);
  const app = await startApp(answer);
  slack.interactiveUrl = app.url;
  const client = new WebClient(slack.botToken, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    logger: quiet,
  });
  const { ts = '' } = await client.chat.postMessage({ channel, text: 'refund', blocks: decide('1') });
  return { slack, app, client, press: { user, channel, ts, actionId: 'approve' } };
}

/** A click, and a modal that the app opens with its trigger. */
async function withModal(options: SlackOptions = {}, answer?: Parameters<typeof startApp>[0]) {
  const opened = await started(options, answer);
  await opened.slack.click(opened.press);
  const trigger = String(opened.app.received[0]?.payload['trigger_id']);
  const { view } = await opened.client.views.open({ trigger_id: trigger, view: modal });
  return { ...opened, trigger, viewId: view?.id ?? '' };
}

describe('a click', () => {
  it('reaches the app signed, with what the button stands for', async () => {
    const { slack, app, press } = await started();
    const answer = await slack.click(press);
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(answer.tookMs).toBeLessThan(3000);
    const [got] = app.received;
    const timestamp = got?.headers['x-slack-request-timestamp'];
    const hmac = createHmac('sha256', slack.signingSecret).update(`v0:${timestamp}:${got?.body}`);
    expect(got?.headers).toMatchObject({
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-signature': `v0=${hmac.digest('hex')}`,
    });
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(5);
    expect(got?.payload).toMatchObject({
      type: 'block_actions',
      team: { id: slack.teamId },
      user: { id: user, team_id: slack.teamId },
      container: { message_ts: press.ts, channel_id: channel },
      actions: [{ action_id: 'approve', block_id: 'decide', value: '1' }],
      trigger_id: expect.any(String),
      response_url: expect.stringContaining(slack.url),
    });
  });

  it('needs a button that stands there now', async () => {
    const { slack, app, client, press } = await started();
    await expect(slack.click({ ...press, actionId: 'deny' })).rejects.toThrow('no such button');
    await expect(slack.click({ ...press, value: '2' })).rejects.toThrow('no such button');
    await expect(slack.click({ ...press, ts: '1.2' })).rejects.toThrow('there is no message');
    await expect(slack.click({ ...press, user: 'U9' })).rejects.toThrow('there is no user');
    await client.chat.update({ channel, ts: press.ts, text: 'refund', blocks: decide('2') });
    await slack.click(press);
    await client.chat.update({ channel, ts: press.ts, text: 'over' });
    await expect(slack.click(press)).rejects.toThrow('no such button');
    expect(app.received).toMatchObject([{ payload: { actions: [{ value: '2' }] } }]);
  });

  it('may come from an older version of the message', async () => {
    const { slack, app, client, press } = await started();
    await expect(slack.click({ ...press, stale: true })).rejects.toThrow('no such button');
    await client.chat.update({ channel, ts: press.ts, text: 'refund', blocks: decide('2') });
    await client.chat.update({ channel, ts: press.ts, text: 'over' });
    await slack.click({ ...press, stale: true });
    await slack.click({ ...press, stale: true, value: '1' });
    expect(app.received).toMatchObject([
      { payload: { actions: [{ value: '2' }], message: { blocks: decide('2') } } },
      { payload: { actions: [{ value: '1' }], message: { blocks: decide('1') } } },
    ]);
  });

  it('fails when the app is late', async () => {
    const late = () => new Promise((done) => setTimeout(done, 1000, ''));
    const { slack, press } = await started({ answerWithinMs: 50 }, late);
    await expect(slack.click(press)).rejects.toThrow('did not answer within 50 ms');
  });

  it('needs to know where the app is', async () => {
    const slack = await startFakeSlack();
    await expect(slack.deliver({})).rejects.toThrow('interactiveUrl is not set');
  });
});

describe('a forger', () => {
  it('signs with another secret, or not at all', async () => {
    const { slack, app, press } = await started();
    await slack.click(press);
    await slack.click({ ...press, signingSecret: 'other' });
    await slack.click({ ...press, signature: null });
    await slack.click({ ...press, signature: 'v0=00' });
    const [right, ...forged] = app.received.map(({ headers, body }) => {
      const text = `v0:${headers['x-slack-request-timestamp']}:${body}`;
      const hmac = createHmac('sha256', slack.signingSecret).update(text).digest('hex');
      return [headers['x-slack-signature'], headers['x-slack-signature'] === `v0=${hmac}`];
    });
    expect(right).toEqual([expect.any(String), true]);
    expect(forged).toEqual([
      [expect.stringMatching(/^v0=[0-9a-f]{64}$/), false],
      [undefined, false],
      ['v0=00', false],
    ]);
  });

  it('signs another time', async () => {
    const { slack, app, press } = await started({ now: () => 1_700_000_000_000 });
    await slack.click({ ...press, timestampOffset: -301 });
    await slack.click({ ...press, timestamp: '1e9' });
    await slack.click({ ...press, timestamp: null });
    const times = ['1699999699', '1e9', undefined];
    expect(app.received.map(({ headers }) => headers['x-slack-request-timestamp'])).toEqual(times);
    for (const { headers, body } of app.received.slice(0, 2)) {
      const text = `v0:${headers['x-slack-request-timestamp']}:${body}`;
      const hmac = createHmac('sha256', slack.signingSecret).update(text).digest('hex');
      expect(headers['x-slack-signature']).toBe(`v0=${hmac}`);
    }
  });

  it('comes from another workspace, or sends the same again', async () => {
    const { slack, app, press } = await started();
    const { again } = await slack.click({ ...press, teamId: 'T9' });
    expect(app.received).toMatchObject([{ payload: { team: { id: 'T9' }, user: { team_id: 'T9' } } }]);
    expect(await again()).toMatchObject({ status: 200 });
    expect(app.received[1]).toEqual(app.received[0]);
  });
});

describe('a trigger', () => {
  it('opens one modal', async () => {
    const { slack, client, trigger, viewId } = await withModal();
    expect(slack.views.get(viewId)).toMatchObject({ user, modal: { private_metadata: 'case-1' } });
    const again = client.views.open({ trigger_id: trigger, view: modal });
    await expect(again).rejects.toMatchObject({ data: { error: 'exchanged_trigger_id' } });
    const unknown = client.views.open({ trigger_id: '1', view: modal });
    await expect(unknown).rejects.toMatchObject({ data: { error: 'invalid_arguments' } });
  });

  it('is good for 3 seconds', async () => {
    let now = Date.now();
    const { slack, app, client, press } = await started({ now: () => now });
    await slack.click(press);
    now += 3001;
    const late = client.views.open({
      trigger_id: String(app.received[0]?.payload['trigger_id']),
      view: modal,
    });
    await expect(late).rejects.toMatchObject({ data: { error: 'expired_trigger_id' } });
  });
});

describe('a modal', () => {
  it('is updated by its id, if nobody did before', async () => {
    const { slack, client, viewId } = await withModal();
    const hash = slack.views.get(viewId)?.hash ?? '';
    await client.views.update({ view_id: viewId, hash, view: { ...modal, title: plain('Other') } });
    expect(slack.views.get(viewId)).toMatchObject({ modal: { title: { text: 'Other' } } });
    const outdated = client.views.update({ view_id: viewId, hash, view: modal });
    await expect(outdated).rejects.toMatchObject({ data: { error: 'hash_conflict' } });
    const unknown = client.views.update({ view_id: 'V9', view: modal });
    await expect(unknown).rejects.toMatchObject({ data: { error: 'not_found' } });
    const invalid = client.views.update({
      view_id: viewId,
      view: { ...modal, title: plain('x'.repeat(25)) },
    });
    await expect(invalid).rejects.toMatchObject({ data: { error: 'invalid_arguments' } });
  });

  it('is submitted with what was filled in, and closes', async () => {
    const { slack, app, viewId } = await withModal();
    await slack.submit({ user, viewId, values: { reason: 'too much', rule: 'allow' } });
    expect(app.received[1]?.payload).toMatchObject({
      type: 'view_submission',
      user: { id: user },
      view: {
        id: viewId,
        callback_id: 'deny',
        private_metadata: 'case-1',
        state: {
          values: {
            reason: { text: { type: 'plain_text_input', value: 'too much' } },
            rule: { choice: { type: 'static_select', selected_option: { value: 'allow' } } },
          },
        },
      },
    });
    expect(slack.views.size).toBe(0);
  });

  it.each([
    ['nothing where something is needed', {}, 'Slack asks for reason first'],
    ['too much', { reason: 'x'.repeat(11) }, 'Slack takes 0 to 10 characters'],
    ['what is not to choose', { reason: 'x', rule: 'deny' }, 'deny is not to choose'],
    ['a field that is not there', { reason: 'x', mood: 'good' }, 'has no input mood'],
  ])('cannot be submitted with %s', async (_, values, message) => {
    const { slack, app, viewId } = await withModal();
    await expect(slack.submit({ user, viewId, values })).rejects.toThrow(message);
    expect(app.received).toHaveLength(1);
  });

  it('is open before one person', async () => {
    const { slack, viewId } = await withModal();
    await expect(slack.submit({ user: 'U0BEN', viewId, values: { reason: 'x' } })).rejects.toThrow(
      'before U0ANN',
    );
    await expect(slack.submit({ user, viewId: 'V9', values: {} })).rejects.toThrow('not open');
  });

  it.each([
    ['errors', { response_action: 'errors', errors: { reason: 'say more' } }, 1, 'Deny'],
    ['update', { response_action: 'update', view: { ...modal, title: plain('Sure?') } }, 1, 'Sure?'],
    ['clear', { response_action: 'clear' }, 0, undefined],
  ])('may be answered with %s', async (_, said, open, title) => {
    const { slack, viewId } = await withModal({}, ({ type }) => (type === 'view_submission' ? said : ''));
    const answer = await slack.submit({ user, viewId, values: { reason: 'x' } });
    expect(answer.body).toEqual(said);
    expect(slack.views.size).toBe(open);
    expect(slack.views.get(viewId)?.modal.title.text).toBe(title);
  });

  it.each([
    ['an error of no field', { response_action: 'errors', errors: {} }, 'errors of no field'],
    [
      'an error of another field',
      { response_action: 'errors', errors: { mood: 'no' } },
      'no input of the modal',
    ],
    ['an error without a text', { response_action: 'errors', errors: { reason: '' } }, 'has no text'],
    ['an invalid view', { response_action: 'update', view: {} }, 'invalid_arguments'],
    ['an unknown action', { response_action: 'explode' }, 'was answered with'],
    ['a text', 'fine', 'was answered with'],
  ])('may not be answered with %s', async (_, said, message) => {
    const { slack, viewId } = await withModal({}, ({ type }) => (type === 'view_submission' ? said : ''));
    await expect(slack.submit({ user, viewId, values: { reason: 'x' } })).rejects.toThrow(message);
  });
});

describe('a response URL', () => {
  it('replaces, says and deletes, five times', async () => {
    const { slack, app, press } = await started();
    await slack.click(press);
    const raw = createClient(String(app.received[0]?.payload['response_url']));
    await raw.post('', { text: 'for you' });
    await raw.post('', { text: 'for all', response_type: 'in_channel' });
    await raw.post('', { text: 'over', replace_original: true });
    expect(slack.ephemerals).toMatchObject([{ user, channel, text: 'for you' }]);
    expect(slack.messages(channel)).toMatchObject([{ text: 'over', blocks: [] }, { text: 'for all' }]);
    const invalid = await raw.post('', { text: 'x', blocks: [{ type: 'marquee' }] });
    expect(invalid.body).toEqual({ ok: false, error: 'invalid_blocks' });
    await raw.post('', { delete_original: true });
    expect(slack.messages(channel)).toMatchObject([{ text: 'for all' }]);
    expect(await raw.post('', { text: 'x' })).toMatchObject({ status: 404, body: { error: 'used_url' } });
  });

  it('is good for 30 minutes', async () => {
    let now = Date.now();
    const { slack, app, press } = await started({ now: () => now });
    await slack.click(press);
    now += 30 * 60_000 + 1;
    const raw = createClient(String(app.received[0]?.payload['response_url']));
    expect(await raw.post('', { text: 'x' })).toMatchObject({ status: 404, body: { error: 'expired_url' } });
  });
});
