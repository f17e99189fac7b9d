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

describeCardChannel('Slack', async () => {
  const slack = await startFakeSlack();
  const { context } = await startTestBus(await startTestNats());
  const places = await openLedger(context, PlaceEntry);
  const messages = () => slack.messages('#approvals');
  const fail = (failure: Parameters<typeof slack.failNext>[1], times = 1) =>
    slack.failNext('chat.postMessage', failure, times);
  return {
    channel: opened(
      createSlackChannel({
        botToken: slack.botToken,
        apiUrl: slack.apiUrl,
        publicUrl: undefined,
        places,
      }),
    ),
    target: '#approvals',
    told: asking({ kind: 'channel', channel: 'approvals' }),
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
    hasSlack: true,
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
    );
    const handle = ended.outcome === 'delivered' ? ended.handle : '';
    await channel.update(handle, airline, changedOf(told, { amount: 1 }));
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
