import {
  type Approver,
  type ConsumerSpec,
  consumers,
  MailLinkAnswer,
  type MailLinkQuestion,
  type PlacetEvent,
  requests,
  SlackModalQuestion,
  type TestChannelAnswer,
  TestChannelQuestion,
} from '@placet/events';
import type { Jwks } from '@placet/proof';
import {
  answer,
  ask,
  done,
  Refusal,
  type RunningService,
  type ServiceEnvironment,
  type ServiceParts,
  startService,
  subscribe,
  watchConsumer,
} from '@placet/runtime';
import type { CardChannel } from './card-channel.ts';
import { createCards } from './cards.ts';
import { createEmailChannel } from './channels/email/channel.ts';
import { createPagerDutyChannel } from './channels/pagerduty/channel.ts';
import { createSlackChannel, type SlackChannel } from './channels/slack/channel.ts';
import type { NotifierConfig } from './config.ts';
import { CardsEntry, openLedger, PlaceEntry } from './ledger.ts';
import { createTurns, Line, type Turns } from './turns.ts';
import { startWebhooks } from './webhooks/webhooks.ts';

type Options = { config: NotifierConfig; trusted: Jwks };

/** Without a receiver the messages of a channel stay in the stream, and are delivered when there is one. */
export function startNotifierService(
  environment: ServiceEnvironment,
  options: Options,
): Promise<RunningService> {
  return startService('notifier', environment, async (parts) => {
    const { config, trusted } = options;
    const { notifierSlack, notifierPagerduty, notifierEmail } = consumers;
    const turns = createTurns(await openLedger(parts.context, Line), parts.context);
    const slack = await slackOf(parts, turns, config);
    const pagerduty = pagerdutyOf(config);
    const email = emailOf(parts, config);
    const problems = [
      await startWebhooks(parts, options),
      await show(parts, { spec: notifierSlack, channel: slack, turns, trusted }),
      await show(parts, {
        spec: notifierPagerduty,
        channel: pagerduty,
        turns,
        trusted,
        isNone: (event) => config.pagerdutyKeys.size === 0 && !asksPagerDuty(event),
      }),
      await show(parts, { spec: notifierEmail, channel: email, turns, trusted }),
    ];
    answerTests(parts, { slack, pagerduty, email });
    return { unready: () => problems.flatMap((one) => one()) };
  });
}

type Problems = () => string[];
const none: Problems = () => [];

async function slackOf(
  parts: ServiceParts,
  turns: Turns,
  { slackBotToken: botToken, slackApiUrl: apiUrl, publicUrl }: NotifierConfig,
): Promise<SlackChannel | null> {
  if (botToken === undefined) return null;
  const places = await openLedger(parts.context, PlaceEntry);
  const slack = createSlackChannel({ botToken, apiUrl, publicUrl, places, turns });
  answer(parts, requests.slackModal, SlackModalQuestion, async ({ trigger_id, view }) => {
    const problem = await slack.openModal(trigger_id, view);
    if (problem !== null) throw new Refusal('UNAVAILABLE', { message: problem });
    return {};
  });
  return slack;
}

/** Also without any key: whoever is asked there and cannot be told is an event, and is told otherwise. */
function pagerdutyOf({ pagerdutyUrl: url, pagerdutyKeys: keys, publicUrl }: NotifierConfig): CardChannel {
  return createPagerDutyChannel({ url, keys, publicUrl });
}

function emailOf(parts: ServiceParts, config: NotifierConfig): CardChannel | null {
  const { context } = parts;
  const { smtpServer: server, mailFrom: from, publicUrl, slackBotToken } = config;
  if (!server || !from || publicUrl === undefined) return null;
  return createEmailChannel({
    server,
    from,
    publicUrl,
    hasSlack: slackBotToken !== undefined,
    async linkFor({ agent, actionId: action_id, needed: { payload_digest } }, { id: person }) {
      const question: MailLinkQuestion = { agent, action_id, person, payload_digest };
      return (await ask(context, requests.mailLink, question, MailLinkAnswer)).url;
    },
  });
}

const notSetUp = {
  slack: 'Slack is not set up: the notifier needs PLACET_SLACK_BOT_TOKEN.',
  pagerduty: 'PagerDuty is not set up: the notifier needs PLACET_PAGERDUTY_KEYS.',
  email: 'Email is not set up: the notifier needs PLACET_SMTP_URL, PLACET_MAIL_FROM and PLACET_PUBLIC_URL.',
} as const;

type Channels = { slack: SlackChannel | null; pagerduty: CardChannel | null; email: CardChannel | null };

function answerTests(parts: ServiceParts, channels: Channels): void {
  answer(parts, requests.testChannel, TestChannelQuestion, async (asked): Promise<TestChannelAnswer> => {
    const { channel, check } = testOf(asked, channels);
    return { channel, ...((await check) ?? { ok: false, reason: notSetUp[channel] }) };
  });
}

/** Where it belongs, as that of an approval would. */
function testOf(asked: TestChannelQuestion, { slack, pagerduty, email }: Channels) {
  switch (asked.kind) {
    case 'slack':
      return { channel: 'slack', check: slack?.check(asked.target) } as const;
    case 'pagerduty':
      return { channel: 'pagerduty', check: pagerduty?.check(asked.target) } as const;
    case 'person':
      return slack && asked.slack.length > 0
        ? ({ channel: 'slack', check: slack.checkPerson(asked) } as const)
        : ({ channel: 'email', check: email?.check(`user:${asked.email}`) } as const);
    default:
      return asked satisfies never;
  }
}

type Shown = {
  spec: ConsumerSpec;
  /** Without one the events stay in the stream, and are shown when there is one. */
  channel: CardChannel | null;
  turns: Turns;
  trusted: Jwks;
  /** Of which events it is known at once that nobody there is asked. */
  isNone?: (event: PlacetEvent) => boolean;
};

async function show(
  { context, bus, alarm, resources }: ServiceParts,
  { spec, channel, turns, trusted, isNone = () => false }: Shown,
): Promise<Problems> {
  if (!channel) return none;
  resources.add(`${channel.kind} channel`, () => channel.close());
  const ledger = await openLedger(context, CardsEntry);
  const bringUpToDate = createCards({ context, bus, ledger, turns, channel, trusted });
  subscribe(context, bus, alarm, resources, {
    spec,
    handle: async (delivered) => (isNone(delivered.event) ? done : bringUpToDate(delivered)),
    concurrency: 16,
  });
  return watchConsumer({ context, alarm, resources }, spec).problems;
}

/** Whether it is an event from which on PagerDuty is asked. */
function asksPagerDuty(event: PlacetEvent): boolean {
  switch (event.type) {
    case 'approval.needed':
      return event.data.demands.some(({ approvers }) => approvers.some(isOfPagerDuty));
    case 'approval.escalated':
    case 'approval.reassigned':
      return event.data.approvers.some(isOfPagerDuty);
    default:
      return false;
  }
}

const isOfPagerDuty = ({ kind }: Approver) => kind === 'pagerduty';
