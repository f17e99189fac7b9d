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
import { workOff } from './agenda-worker.ts';
import type { CardChannel } from './card-channel.ts';
import { createCards } from './cards.ts';
import { createEmailChannel } from './channels/email/channel.ts';
import { createPagerDutyChannel } from './channels/pagerduty/channel.ts';
import { createSlackChannel, type SlackChannel } from './channels/slack/channel.ts';
import type { NotifierConfig } from './config.ts';
import { CardsEntry, openLedger, PlaceEntry } from './ledger.ts';
import { Pace } from './pace.ts';
import { createRoom, type Room } from './room.ts';
import type { SetUp } from './routes.ts';
import { createTurns, type Turns } from './turns.ts';
import { createUntold } from './untold.ts';
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
    const slack = await slackOf(parts, config);
    const pagerduty = pagerdutyOf(config);
    const email = emailOf(parts, config);
    const setUp: SetUp = { slack: slack !== null, email: email !== null };
    const room = createRoom(parts.alarm);
    const turns = createTurns(room.watched(await openLedger(parts.context, Pace)), parts.context);
    const common = { turns, trusted, setUp, room };
    const webhooks = await startWebhooks(parts, options);
    const problems = [
      webhooks.problems,
      room.problems,
      await show(parts, { ...common, spec: notifierSlack, channel: slack }),
      await show(parts, {
        ...common,
        spec: notifierPagerduty,
        channel: pagerduty,
        isNone: (event) => config.pagerdutyKeys.size === 0 && !asksPagerDuty(event),
      }),
      await show(parts, { ...common, spec: notifierEmail, channel: email }),
      tellUntold(parts, { trusted, setUp, hasPager: config.pagerdutyKeys.size > 0, ...webhooks }),
    ];
    answerTests(parts, { slack, pagerduty, email });
    return { unready: () => problems.flatMap((one) => one()) };
  });
}

type Problems = () => string[];
const none: Problems = () => [];

async function slackOf(
  parts: ServiceParts,
  { slackBotToken: botToken, slackApiUrl: apiUrl, publicUrl }: NotifierConfig,
): Promise<SlackChannel | null> {
  if (botToken === undefined) return null;
  const places = await openLedger(parts.context, PlaceEntry);
  const slack = createSlackChannel({ botToken, apiUrl, publicUrl, places });
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
  const { smtpServer: server, mailFrom: from, publicUrl } = config;
  if (!server || !from || publicUrl === undefined) return null;
  return createEmailChannel({
    server,
    from,
    publicUrl,
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
  setUp: SetUp;
  room: Room;
  /** Of which events it is known at once that nobody there is asked. */
  isNone?: (event: PlacetEvent) => boolean;
};

async function show(
  { context, bus, alarm, resources }: ServiceParts,
  { spec, channel, turns, trusted, setUp, room, isNone = () => false }: Shown,
): Promise<Problems> {
  if (!channel) return none;
  resources.add(`${channel.kind} channel`, () => channel.close());
  const ledger = room.watched(await openLedger(context, CardsEntry));
  const cards = createCards({ context, bus, ledger, turns, channel, trusted, setUp });
  workOff({ context, alarm, resources, turns, channel, cards });
  subscribe(context, bus, alarm, resources, {
    spec,
    handle: async (delivered) => (isNone(delivered.event) ? done : cards.handle(delivered)),
    concurrency: 16,
  });
  return watchConsumer({ context, alarm, resources }, spec).problems;
}

/**
 * Where nothing at all is set up, nothing was to be delivered: people look at the pages, and are told so once. Where a
 * webhook takes approvals, whoever has set it up tells people.
 */
function tellUntold(
  { context, bus, alarm, resources }: ServiceParts,
  {
    trusted,
    setUp,
    hasPager,
    isAnnounced,
  }: { trusted: Jwks; setUp: SetUp; hasPager: boolean; isAnnounced: () => boolean },
): Problems {
  if (setUp.email) return none;
  if (!setUp.slack && !hasPager) {
    context.logger.info(
      'no channel is set up: nobody is told of approvals, which wait in the list at /approvals',
    );
    return none;
  }
  const tell = createUntold({ context, bus, trusted, setUp });
  const spec = consumers.notifierUntold;
  subscribe(context, bus, alarm, resources, {
    spec,
    handle: async (delivered) => (isAnnounced() ? done : tell(delivered)),
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
