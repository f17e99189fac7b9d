import { WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError, WebClient } from '@slack/web-api';
import { describe, expect, it } from 'vitest';
import { releaseAfterEach } from '../cleanup.ts';
import { createClient } from '../client.ts';
import { type FakeSlack, startFakeSlack } from './slack.ts';
import { quiet } from './test-app.ts';

releaseAfterEach();

const channel = 'C0APPROVALS';
const blocks = [
  { type: 'section' as const, block_id: 'what', text: { type: 'mrkdwn' as const, text: 'refund 20' } },
  {
    type: 'actions' as const,
    block_id: 'decide',
    elements: [
      {
        type: 'button' as const,
        action_id: 'approve',
        value: '1',
        text: { type: 'plain_text' as const, text: 'Approve' },
      },
    ],
  },
];

/** The real client, as Placet is to use it. */
function clientOf({ apiUrl, botToken }: FakeSlack, token = botToken) {
  return new WebClient(token, {
    slackApiUrl: apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 500,
    logger: quiet,
  });
}

async function errorOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => 'none',
    (thrown: unknown) => thrown,
  );
  if (error instanceof WebAPIPlatformError) return error.data.error;
  throw new Error('not an error of the platform', { cause: error });
}

describe('the real client', () => {
  it('posts, answers in a thread, and updates', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const metadata = { event_type: 'approval', event_payload: { id: '1' } };
    const posted = await client.chat.postMessage({ channel: '#approvals', text: 'refund', blocks, metadata });
    expect(posted).toMatchObject({ ok: true, channel, ts: expect.stringMatching(/^\d{10}\.\d{6}$/) });
    const ts = posted.ts ?? '';
    await client.chat.postMessage({ channel, thread_ts: ts, text: 'remember this one' });
    await client.chat.update({ channel, ts, text: 'approved', blocks: blocks.slice(0, 1) });

    expect(slack.messages('#approvals')).toMatchObject([
      {
        ts,
        text: 'approved',
        metadata,
        edited: true,
        blocks: [{ block_id: 'what' }],
        earlierBlocks: [blocks],
      },
      { threadTs: ts, text: 'remember this one', edited: false },
    ]);
    expect(slack.calls.map(({ method, answer }) => [method, answer?.['ok']])).toEqual([
      ['chat.postMessage', true],
      ['chat.postMessage', true],
      ['chat.update', true],
    ]);
  });

  it('loses the blocks of a message that is updated with a text alone', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const { ts = '' } = await client.chat.postMessage({ channel, text: 'refund', blocks });
    await client.chat.update({ channel, ts, text: 'over' });
    expect(slack.messages(channel)).toMatchObject([{ text: 'over', blocks: [] }]);
  });

  it('reads back what was said, by pages, with metadata when it asks for it', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const metadata = { event_type: 'approval', event_payload: { id: '1' } };
    const { ts = '' } = await client.chat.postMessage({ channel, text: 'first', metadata });
    await client.chat.postMessage({ channel, text: 'reply', thread_ts: ts });
    await client.chat.postMessage({ channel, text: 'second' });

    const page = await client.conversations.history({ channel, limit: 1 });
    expect(page).toMatchObject({ has_more: true, messages: [{ text: 'second' }] });
    const cursor = page.response_metadata?.next_cursor ?? '';
    const next = await client.conversations.history({ channel, cursor, include_all_metadata: true });
    expect(next).toMatchObject({ has_more: false, messages: [{ text: 'first', metadata, reply_count: 1 }] });
    const before = await client.conversations.history({ channel, oldest: ts });
    expect(before.messages).toMatchObject([{ text: 'second' }]);
    const thread = await client.conversations.replies({ channel, ts });
    expect(thread.messages?.map(({ text }) => text)).toEqual(['first', 'reply']);
    expect(thread.messages?.[0]).not.toHaveProperty('metadata');
    expect(await errorOf(client.conversations.replies({ channel, ts: '1.2' }))).toBe('thread_not_found');
  });

  it('finds people, and writes to them alone', async () => {
    const slack = await startFakeSlack({
      users: [
        { id: 'U1', email: 'ann@example.com', name: 'ann' },
        { id: 'U2', email: 'gone@example.com', name: 'gone', deleted: true },
      ],
    });
    const client = clientOf(slack);
    const found = await client.users.lookupByEmail({ email: 'Ann@example.com' });
    expect(found.user).toMatchObject({ id: 'U1', profile: { email: 'ann@example.com' } });
    expect(await errorOf(client.users.lookupByEmail({ email: 'gone@example.com' }))).toBe('users_not_found');
    expect((await client.users.info({ user: 'U2' })).user).toMatchObject({ deleted: true });
    expect(await errorOf(client.users.info({ user: 'U3' }))).toBe('user_not_found');

    const opened = await client.conversations.open({ users: 'U1' });
    await client.chat.postMessage({ channel: opened.channel?.id ?? '', text: 'for you' });
    await client.chat.postMessage({ channel: 'U1', text: 'for you too' });
    expect(slack.messages('U1').map(({ text }) => text)).toEqual(['for you', 'for you too']);
    await client.chat.postEphemeral({ channel, user: 'U1', text: 'only you' });
    expect(slack.ephemerals).toMatchObject([{ channel, user: 'U1', text: 'only you' }]);
    expect(slack.messages(channel)).toEqual([]);
  });

  it('says who it is', async () => {
    const slack = await startFakeSlack({ teamId: 'T1' });
    expect(await clientOf(slack).auth.test()).toMatchObject({ team_id: 'T1', user_id: expect.any(String) });
  });

  it('is limited by the second and the channel', async () => {
    let now = Date.now();
    const slack = await startFakeSlack({
      perSecond: 1,
      now: () => now,
      channels: [
        { id: 'C1', name: 'one' },
        { id: 'C2', name: 'two' },
      ],
    });
    const client = clientOf(slack);
    await client.chat.postMessage({ channel: 'C1', text: 'now' });
    const limited = client.chat.postMessage({ channel: '#one', text: 'again' });
    await expect(limited).rejects.toBeInstanceOf(WebAPIRateLimitedError);
    await expect(limited).rejects.toMatchObject({ retryAfter: 1 });
    await client.chat.postMessage({ channel: 'C2', text: 'elsewhere' });
    expect(slack.messages('C1')).toHaveLength(1);
    now += 1000;
    await client.chat.postMessage({ channel: 'C1', text: 'later' });
    expect(slack.messages('C1')).toHaveLength(2);
  });
});

describe('Slack refuses', () => {
  it.each([
    ['token_revoked', 'token_revoked'],
    ['account_inactive', 'account_inactive'],
    ['invalid_auth', 'invalid_auth'],
  ] as const)('a token: %s', async (problem, error) => {
    const slack = await startFakeSlack();
    slack.revokeToken(problem);
    expect(await errorOf(clientOf(slack).auth.test())).toBe(error);
    slack.revokeToken(null);
    expect(await clientOf(slack).auth.test()).toMatchObject({ ok: true });
  });

  it('a token that it does not know, or that is for something else', async () => {
    const slack = await startFakeSlack();
    expect(await errorOf(clientOf(slack, 'xoxb-other').auth.test())).toBe('invalid_auth');
    expect(await errorOf(clientOf(slack, slack.appToken).auth.test())).toBe('not_allowed_token_type');
    expect(await errorOf(clientOf(slack).apps.connections.open())).toBe('not_allowed_token_type');
    const { body } = await createClient(slack.url).post('/api/auth.test', {});
    expect(body).toEqual({ ok: false, error: 'not_authed' });
  });

  it('channels where the bot may not write', async () => {
    const slack = await startFakeSlack({
      channels: [
        { id: 'C1', name: 'open' },
        { id: 'C2', name: 'not-in', member: false },
        { id: 'C3', name: 'old', archived: true },
      ],
    });
    const client = clientOf(slack);
    expect(await errorOf(client.chat.postMessage({ channel: 'C9', text: 'x' }))).toBe('channel_not_found');
    expect(await errorOf(client.chat.postMessage({ channel: '#no', text: 'x' }))).toBe('channel_not_found');
    expect(await errorOf(client.chat.postMessage({ channel: 'C2', text: 'x' }))).toBe('not_in_channel');
    expect(await errorOf(client.conversations.history({ channel: 'C2' }))).toBe('not_in_channel');
    expect(await errorOf(client.chat.postMessage({ channel: '#old', text: 'x' }))).toBe('is_archived');
    const { ts = '' } = await client.chat.postMessage({ channel: 'C1', text: 'x' });
    slack.changeChannel('#open', { archived: true });
    expect(await errorOf(client.chat.update({ channel: 'C1', ts, text: 'y' }))).toBe('is_inactive');
  });

  it('updates of what is not there, or not the bot’s', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const { ts } = slack.say({ user: 'U0ANN', channel, text: 'hello' });
    expect(await errorOf(client.chat.update({ channel, ts, text: 'x' }))).toBe('cant_update_message');
    expect(await errorOf(client.chat.update({ channel, ts: '1.2', text: 'x' }))).toBe('message_not_found');
    const byName = client.chat.update({ channel: '#approvals', ts, text: 'x' });
    expect(await errorOf(byName)).toBe('channel_not_found');
  });

  it('messages that are too long, empty, or nowhere', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const post = (text: string, rest: object = {}) => client.chat.postMessage({ channel, text, ...rest });
    expect(await errorOf(post('x'.repeat(40_001)))).toBe('msg_too_long');
    expect(await errorOf(post(''))).toBe('no_text');
    expect(await errorOf(post('x', { thread_ts: '1.2' }))).toBe('thread_not_found');
    const { ts = '' } = await post('x');
    expect(await errorOf(client.chat.update({ channel, ts, text: 'x'.repeat(4001) }))).toBe('msg_too_long');
    const section = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3000) } };
    expect(await errorOf(post('x', { blocks: Array(5).fill(section) }))).toBe('msg_blocks_too_long');
  });

  it('invalid blocks, and says where', async () => {
    const slack = await startFakeSlack();
    const call = clientOf(slack).apiCall('chat.postMessage', {
      channel,
      text: 'x',
      blocks: [{ type: 'marquee' }],
    });
    await expect(call).rejects.toMatchObject({
      data: {
        ok: false,
        error: 'invalid_blocks',
        response_metadata: { messages: ['[ERROR] unsupported type [json-pointer:/blocks/0/type]'] },
      },
    });
    expect(slack.messages(channel)).toEqual([]);
  });

  it('metadata of another form, and methods that it does not have', async () => {
    const client = clientOf(await startFakeSlack());
    const post = (metadata: unknown) => client.apiCall('chat.postMessage', { channel, text: 'x', metadata });
    expect(await errorOf(post('{'))).toBe('invalid_metadata_format');
    expect(await errorOf(post({ event_type: 'x' }))).toBe('invalid_metadata_schema');
    expect(await errorOf(client.apiCall('chat.shout', {}))).toBe('unknown_method');
  });
});

describe('bodies', () => {
  it('may be JSON, and must be what they say', async () => {
    const slack = await startFakeSlack();
    const raw = createClient(slack.url, slack.botToken);
    const posted = await raw.post('/api/chat.postMessage', { channel, text: 'refund', blocks });
    expect(posted.body).toMatchObject({ ok: true, message: { blocks } });
    const broken = await raw.post('/api/chat.postMessage', '{');
    expect(broken.body).toMatchObject({ error: 'invalid_json' });
    const list = await raw.post('/api/chat.postMessage', []);
    expect(list.body).toMatchObject({ error: 'json_not_object' });
    const text = await raw.post('/api/auth.test', 'x', { 'content-type': 'text/plain' });
    expect(text.body).toMatchObject({ error: 'invalid_post_type' });
  });

  it('may carry the token in a form', async () => {
    const slack = await startFakeSlack();
    const form = new URLSearchParams({ token: slack.botToken, channel, text: 'x', blocks: '{' });
    const answer = await createClient(slack.url).post('/api/chat.postMessage', form.toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect(answer.body).toEqual({ ok: false, error: 'invalid_blocks_format' });
  });
});

describe('the next calls can fail', () => {
  it('with an error of Slack, as often as said, of that method alone', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    slack.failNext('chat.postMessage', 'fatal_error', 2);
    expect(await client.auth.test()).toMatchObject({ ok: true });
    for (let n = 0; n < 2; n++) {
      expect(await errorOf(client.chat.postMessage({ channel, text: 'x' }))).toBe('fatal_error');
    }
    await client.chat.postMessage({ channel, text: 'x' });
    expect(slack.messages(channel)).toHaveLength(1);
  });

  it('with a status, and with a time to wait', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    slack.failNext('chat.postMessage', { status: 503 });
    slack.failNext('chat.postMessage', { status: 429, retryAfter: 7 });
    slack.failNext('chat.postMessage', 'ratelimited');
    const post = () => client.chat.postMessage({ channel, text: 'x' });
    await expect(post()).rejects.toMatchObject({ statusCode: 503 });
    await expect(post()).rejects.toMatchObject({ retryAfter: 7 });
    await expect(post()).rejects.toMatchObject({ retryAfter: 1 });
    expect(slack.messages(channel)).toEqual([]);
  });

  it('without an answer', async () => {
    const slack = await startFakeSlack();
    const client = clientOf(slack);
    const post = () => client.chat.postMessage({ channel, text: 'x' });
    slack.failNext('chat.postMessage', 'hang');
    await expect(post()).rejects.toMatchObject({ original: { name: 'TimeoutError' } });
    slack.failNext('chat.postMessage', 'hang up');
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError);
    expect(slack.messages(channel)).toEqual([]);
    slack.failNext('chat.postMessage', 'answer lost');
    await expect(post()).rejects.toBeInstanceOf(WebAPIRequestError);
    expect(slack.messages(channel)).toHaveLength(1);
    expect(slack.calls.map(({ answer }) => answer)).toEqual([undefined, undefined, undefined]);
  });

  it('and a call that hangs does not keep the server from closing', async () => {
    const slack = await startFakeSlack();
    slack.failNext('auth.test', 'hang');
    const call = clientOf(slack).auth.test();
    const failed = expect(call).rejects.toBeInstanceOf(WebAPIRequestError);
    await slack.close();
    await failed;
  });
});
