import { SocketModeClient } from '@slack/socket-mode';
import { WebClient } from '@slack/web-api';
import { describe, expect, it } from 'vitest';
import { releaseAfterEach, releaseAfterTest } from '../cleanup.ts';
import { eventually } from '../eventually.ts';
import { type FakeSlack, startFakeSlack } from './slack.ts';
import type { SlackOptions } from './slack-workspace.ts';
import { quiet, startApp } from './test-app.ts';

releaseAfterEach();

const channel = 'C0APPROVALS';
const user = 'U0ANN';
const button = {
  type: 'button',
  action_id: 'approve',
  value: '1',
  text: { type: 'plain_text', text: 'Yes' },
};

type Event = { ack(response?: object): Promise<void>; envelope_id: string; body: { type: string } };

/** The real client, and every envelope that reaches it. What `take` answers is acknowledged, unless it is null. */
async function connect(slack: FakeSlack, take: (event: Event) => object | null = () => ({})) {
  const received: Event[] = [];
  const client = new SocketModeClient({
    appToken: slack.appToken,
    clientPingTimeout: 200,
    logger: quiet,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
  });
  client.on('interactive', async (event: Event) => {
    received.push(event);
    const answer = take(event);
    if (answer !== null) await event.ack(answer);
  });
  const stop = () => client.disconnect();
  releaseAfterTest('socket client', stop);
  await client.start();
  return { received, stop };
}

async function withMessage(options: SlackOptions = {}) {
  const slack = await startFakeSlack(options);
  const client = new WebClient(slack.botToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
  const blocks = [{ type: 'actions', elements: [button] }];
  await client.apiCall('chat.postMessage', { channel, text: 'refund', blocks });
  const ts = slack.messages(channel)[0]?.ts ?? '';
  return { slack, client, press: { user, channel, ts, actionId: 'approve' } };
}

describe('the real client', () => {
  it('gets a click and acknowledges it', async () => {
    const { slack, press } = await withMessage();
    const { received } = await connect(slack);
    const answer = await slack.click(press);
    expect(answer).toMatchObject({ status: 200, body: {} });
    expect(received).toMatchObject([
      {
        body: { type: 'block_actions', user: { id: user }, actions: [{ value: '1' }] },
        accepts_response_payload: false,
      },
    ]);
    await answer.again();
    expect(received[1]?.envelope_id).toBe(received[0]?.envelope_id);
  });

  it('answers a submission with its acknowledgement', async () => {
    const { slack, client, press } = await withMessage();
    const errors = { response_action: 'errors', errors: { reason: 'say more' } };
    const { received } = await connect(slack, ({ body }) => (body.type === 'view_submission' ? errors : {}));
    await slack.click(press);
    const trigger = Object(received[0]?.body)['trigger_id'];
    const text = (value: string) => ({ type: 'plain_text', text: value });
    const input = {
      type: 'input',
      block_id: 'reason',
      label: text('Why'),
      element: { type: 'plain_text_input' },
    };
    const view = { type: 'modal', title: text('Deny'), submit: text('Send'), blocks: [input] };
    await client.apiCall('views.open', { trigger_id: trigger, view });
    const [viewId = ''] = slack.views.keys();
    expect(await slack.submit({ user, viewId, values: { reason: 'no' } })).toMatchObject({ body: errors });
    expect(received[1]).toMatchObject({ accepts_response_payload: true });
  });

  it('shares the work with others: each envelope goes to one', async () => {
    const { slack, press } = await withMessage();
    const clients = [await connect(slack), await connect(slack)];
    expect(slack.sockets.open()).toBe(2);
    for (let n = 0; n < 4; n++) await slack.click(press);
    expect(clients.map(({ received }) => received.length)).toEqual([2, 2]);
  });

  it('comes again when it is asked to', async () => {
    const { slack, press } = await withMessage();
    const { received } = await connect(slack);
    slack.sockets.disconnect('refresh_requested');
    await eventually(() => expect(slack.sockets.open()).toBe(0));
    await eventually(() => expect(slack.sockets.open()).toBe(1));
    await slack.click(press);
    expect(received).toHaveLength(1);
  });
});

describe('an envelope', () => {
  it('must be acknowledged in time', async () => {
    const { slack, press } = await withMessage({ answerWithinMs: 50 });
    await connect(slack, () => null);
    await expect(slack.click(press)).rejects.toThrow('was not acknowledged within 50 ms');
  });

  it('that a lost socket did not acknowledge goes to another', async () => {
    const { slack, press } = await withMessage();
    const silent = await connect(slack, () => null);
    const click = slack.click(press);
    await eventually(() => expect(silent.received).toHaveLength(1));
    const other = await connect(slack);
    await silent.stop();
    await click;
    expect(other.received[0]?.envelope_id).toBe(silent.received[0]?.envelope_id);
  });

  it('waits for the client that comes back after a cut', async () => {
    const { slack, press } = await withMessage();
    let isDeaf = true;
    const { received } = await connect(slack, () => (isDeaf ? null : {}));
    const click = slack.click(press);
    await eventually(() => expect(received).toHaveLength(1));
    isDeaf = false;
    slack.sockets.cut();
    await click;
    expect(received).toHaveLength(2);
  });

  it('fails when Slack is closed', async () => {
    const { slack, press } = await withMessage();
    const { received, stop } = await connect(slack, () => null);
    const failed = expect(slack.click(press)).rejects.toThrow('was closed');
    await eventually(() => expect(received).toHaveLength(1));
    await slack.close();
    await failed;
    await stop();
  });
});

describe('a socket', () => {
  it('is opened once with the address that Slack gave', async () => {
    const { slack } = await withMessage();
    const app = new WebClient(slack.appToken, { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } });
    const { url = '' } = await app.apps.connections.open();
    const outcome = async () => {
      const socket = new WebSocket(url);
      releaseAfterTest('socket', () => socket.close());
      return new Promise((done) => {
        socket.onmessage = ({ data }) => done(JSON.parse(data).type);
        socket.onerror = () => done('refused');
      });
    };
    expect([await outcome(), await outcome()]).toEqual(['hello', 'refused']);
  });

  it('does not take forgeries, which go to the URL', async () => {
    const { slack, press } = await withMessage();
    const app = await startApp();
    slack.interactiveUrl = app.url;
    const { received } = await connect(slack);
    await slack.click({ ...press, signingSecret: 'other' });
    expect([received.length, app.received.length]).toEqual([0, 1]);
    await slack.click({ ...press, teamId: 'T9' });
    expect(received).toMatchObject([{ body: { team: { id: 'T9' } } }]);
  });
});
