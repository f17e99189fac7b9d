import type { Approver } from '@placet/events';
import { smtpServerOf } from '@placet/mail';
import {
  releaseAfterEach,
  releaseAfterTest,
  startFakePagerDuty,
  startFakeSlack,
  startFakeSmtp,
  startTestBus,
  startTestNats,
} from '@placet/testing';
import { describe, expect, test } from 'vitest';
import type { CardChannel } from '../card-channel.ts';
import { createEmailChannel } from '../channels/email/channel.ts';
import { createPagerDutyChannel } from '../channels/pagerduty/channel.ts';
import { createSlackChannel } from '../channels/slack/channel.ts';
import { openLedger, PlaceEntry } from '../ledger.ts';
import { describeCardChannel, type Vendor } from './card-channel-contract.ts';
import { changedOf, endedOf, toldOf } from './told-of.ts';

/** Approvals that ask one approver, each of another number. */
function asking(approver: Approver): Vendor['told'] {
  return (number, payload = { amount: 20 }) =>
    toldOf({
      needed: {
        action_id: `act_${number}`,
        payload,
        demands: [{ scope: null, rule: null, approvers: [approver], quorum: 1 }],
        requested_at: new Date().toISOString(),
      },
    });
}

function opened(channel: CardChannel): CardChannel {
  releaseAfterTest(channel.kind, () => channel.close());
  return channel;
}

async function startSlack(workspace: Parameters<typeof startFakeSlack>[0] = {}) {
  const slack = await startFakeSlack(workspace);
  const { context } = await startTestBus(await startTestNats());
  const places = await openLedger(context, PlaceEntry);
  const { botToken, apiUrl } = slack;
  const options = { botToken, apiUrl, publicUrl: undefined, places };
  return { slack, channel: opened(createSlackChannel(options)) };
}

const approvals = '#approvals';
const askingApprovals = asking({ kind: 'channel', channel: 'approvals' });

describeCardChannel('Slack', async () => {
  const { slack, channel } = await startSlack();
  const messages = () => slack.messages(approvals);
  const fail = (failure: Parameters<typeof slack.failNext>[1], times = 1) =>
    slack.failNext('chat.postMessage', failure, times);
  return {
    channel,
    target: approvals,
    told: askingApprovals,
    shown: () => messages().map((message) => JSON.stringify(message)),
    asking: () => messages().filter(({ blocks }) => JSON.stringify(blocks).includes('"button"')).length,
    limit: () => fail({ status: 429, retryAfter: 1 }),
    failOnce: () => fail({ status: 500 }),
    loseAnswer: () => fail('answer lost'),
    failForGood: () => slack.changeChannel('#approvals', { archived: true }),
  };
});

const airline = 'pagerduty:airline';
const askingAirline = asking({ kind: 'pagerduty', service: 'airline' });

async function startPagerDuty() {
  const pagerDuty = await startFakePagerDuty();
  const [key = ''] = pagerDuty.routingKeys;
  const keys = new Map([['airline', key]]);
  const options = { url: pagerDuty.url, keys, publicUrl: 'https://placet.example.com' };
  return { pagerDuty, keys, channel: opened(createPagerDutyChannel(options)) };
}

describeCardChannel('PagerDuty', async () => {
  const { pagerDuty, keys, channel } = await startPagerDuty();
  const open = () => pagerDuty.incidents().filter(({ status }) => status !== 'resolved');
  const triggers = () => pagerDuty.events.filter(({ event_action }) => event_action === 'trigger');
  return {
    channel,
    target: airline,
    told: askingAirline,
    shown: () => triggers().map((event) => JSON.stringify(event)),
    asking: () => open().length,
    limit: () => pagerDuty.failNext({ status: 429, retryAfter: 1 }),
    failOnce: () => pagerDuty.failNext({ status: 500 }),
    loseAnswer: () => pagerDuty.failNext('answer lost'),
    failForGood: () => keys.set('airline', 'b'.repeat(32)),
  };
});

const publicUrl = 'https://placet.example.com';
const askingManager = asking({ kind: 'role', role: 'manager' });

async function startEmail({ linkTo = publicUrl, options = '' } = {}) {
  const unknown: string[] = [];
  const smtp = await startFakeSmtp({ unknown });
  const server = smtpServerOf(`${smtp.url}${options}`);
  if (!server) throw new Error(`${smtp.url} is no mail server`);
  const channel = createEmailChannel({
    server,
    from: { name: 'Placet', address: 'placet@example.com' },
    publicUrl,
    linkFor: async ({ actionId }) => `${linkTo}/mail/${actionId}`,
  });
  return { smtp, unknown, channel: opened(channel) };
}

describeCardChannel('email', async () => {
  const { smtp, unknown, channel } = await startEmail();
  /** A thread asks until its last mail says how it ended. */
  const threads = () => {
    const ofTests = smtp.mails.filter(({ subject }) => !subject.startsWith('A test'));
    return Map.groupBy(
      ofTests,
      ({ headers }) => headers.get('in-reply-to') ?? headers.get('message-id') ?? '',
    );
  };
  return {
    channel,
    target: 'user:ann@example.com',
    told: askingManager,
    shown: () => smtp.mails.map(({ text }) => text),
    asking: () => [...threads().values()].filter((mails) => !mails.at(-1)?.text.startsWith('It is')).length,
    failOnce: () => smtp.cutInData(),
    loseAnswer: () => smtp.loseAnswer(),
    failForGood: () => void unknown.push('ann@example.com'),
  };
});

describe('Slack', () => {
  releaseAfterEach();

  /** A card that nobody has written down, and so much that was said after it. */
  async function startWithCard({ saidAfter }: { saidAfter: number }) {
    const started = await startSlack();
    const since = Date.now();
    await started.channel.send(approvals, askingApprovals(1));
    for (let n = 0; n < saidAfter; n++) {
      started.slack.say({ user: 'U0ANN', channel: approvals, text: `${n}` });
    }
    const find = (number: number) =>
      started.channel.find(approvals, askingApprovals(number), { at: since, version: 2 });
    return { ...started, find };
  }

  test('a card is found however much was said since, as far as Slack was looked through', async () => {
    const { slack, find } = await startWithCard({ saidAfter: 450 });
    expect(await find(1)).toEqual({ outcome: 'looked', handle: expect.stringContaining('ts') });
    expect(await find(2)).toEqual({ outcome: 'looked', handle: null });
    for (let n = 0; n < 2000; n++) slack.say({ user: 'U0ANN', channel: approvals, text: `${n}` });
    slack.calls.length = 0;
    expect(await find(1)).toMatchObject({ outcome: 'unseen' });
    expect(slack.calls).toHaveLength(10);
  });

  test('the first card of a place is found in a workspace of many channels, whose id is asked for once', async () => {
    const others = Array.from({ length: 1500 }, (_, n) => ({ id: `C${n}`, name: `other-${n}` }));
    const { slack, channel } = await startSlack({
      channels: [...others, { id: 'C0APPROVALS', name: 'approvals' }],
    });
    slack.failNext('chat.postMessage', 'answer lost');
    const since = Date.now();
    expect(await channel.send(approvals, askingApprovals(1))).toMatchObject({ outcome: 'retry' });
    expect(await channel.find(approvals, askingApprovals(1), { at: since, version: 2 })).toEqual({
      outcome: 'looked',
      handle: expect.stringContaining('C0APPROVALS'),
    });
    await channel.send(approvals, askingApprovals(2));
    expect(slack.calls.filter(({ method }) => method === 'conversations.list')).toHaveLength(2);
  });

  test('where Slack does not name its channels a card is sent by name, and cannot be looked for', async () => {
    const { slack, channel } = await startSlack();
    slack.failNext('conversations.list', 'missing_scope', 2);
    slack.failNext('chat.postMessage', 'answer lost');
    await channel.send(approvals, askingApprovals(1));
    expect(slack.messages(approvals)).toHaveLength(1);
    expect(await channel.find(approvals, askingApprovals(1), { at: Date.now(), version: 2 })).toMatchObject({
      outcome: 'unseen',
    });
  });

  test('where Slack lets nobody look for a while, that is waited for, and no failed attempt', async () => {
    const { slack, find } = await startWithCard({ saidAfter: 0 });
    slack.failNext('conversations.history', { status: 429, retryAfter: 30 });
    expect(await find(1)).toMatchObject({ outcome: 'retry', isLimited: true, retryAfterMs: 30_000 });
  });
});

describe('PagerDuty', () => {
  releaseAfterEach();

  test('pages nobody for an approval that has ended, whatever an old look at it says', async () => {
    const { pagerDuty, channel } = await startPagerDuty();
    const told = askingAirline(1);
    const sent = await channel.send(airline, told);
    const ended = await channel.update(
      sent.outcome === 'delivered' ? sent.handle : '',
      airline,
      endedOf(told),
      async () => true,
    );
    const handle = ended.outcome === 'delivered' ? ended.handle : '';
    await channel.update(handle, airline, changedOf(told, { amount: 1 }), async () => true);
    expect(pagerDuty.incidents().map(({ status }) => status)).toEqual(['resolved']);
    expect(pagerDuty.events).toHaveLength(2);
  });
});

describe('email', () => {
  releaseAfterEach();

  test.each(['https://evil.example', 'https://placet.example.com.evil.example'])(
    'nobody gets a link to %s, whoever answers in the place of the gateway',
    async (linkTo) => {
      const { smtp, channel } = await startEmail({ linkTo });
      expect(await channel.send('user:ann@example.com', askingManager(1))).toEqual({
        outcome: 'failed',
        reason: expect.stringContaining('set the same PLACET_PUBLIC_URL'),
      });
      expect(smtp.mails).toEqual([]);
    },
  );

  test('where a server has no TLS and is to have it, nothing is said to it', async () => {
    const { smtp, channel } = await startEmail({ options: '?requireTLS=true' });
    expect(await channel.send('user:ann@example.com', askingManager(1))).toEqual({
      outcome: 'failed',
      reason: expect.stringContaining('use smtps://'),
    });
    expect(smtp.mails).toEqual([]);
  });
});
