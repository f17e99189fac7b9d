import {
  eventually,
  type FakeSlack,
  startFakePagerDuty,
  startFakeSlack,
  startFakeSmtp,
  startTestPlacet,
  type TestOptions,
  type TestPlacet,
} from '@placet/testing';
import { expect } from 'vitest';
import { personWith } from '../support.ts';

export const policy = `
version: 1
rules:
  - action: read.*
    decide: allow
  - action: refund.create
    decide: require_approval
    approvers: ["#approvals"]
  - action: refund.two
    decide: require_approval
    approvers: ["#approvals"]
    quorum: 2
  - action: deploy
    decide: require_approval
    approvers: ["#approvals"]
    choices: [{ name: blue, means: allow }, { name: wait, means: deny }]
  - action: own
    decide: require_approval
    approvers: ["#approvals"]
    separate: true
default: require_approval
`;

/** A Placet and a workspace in which Ann and Ben are approvers. */
export async function startWithSlack(
  options: Parameters<typeof startFakeSlack>[0] = {},
  { isBySocket = false, ...more }: TestOptions & { isBySocket?: boolean } = {},
) {
  const slack = await startFakeSlack(options);
  const placet = await startTestPlacet({
    policy,
    ...more,
    env: {
      PLACET_SLACK_API_URL: slack.apiUrl,
      PLACET_SLACK_BOT_TOKEN: slack.botToken,
      ...(isBySocket
        ? { PLACET_SLACK_APP_TOKEN: slack.appToken }
        : { PLACET_SLACK_SIGNING_SECRET: slack.signingSecret }),
      ...more.env,
    },
  });
  slack.interactiveUrl = `${placet.url}/slack/interactive`;
  for (const { id: user, email } of slack.users) {
    const { id } = await personWith(placet, email, ['approver']);
    await placet.admin.patch(`/v1/people/${id}`, { slack: [{ team: slack.teamId, user }] });
  }
  return { slack, placet };
}

export async function ask({ agent }: TestPlacet, action_name: string, body: object = {}): Promise<string> {
  const reply = await agent.check({ action_name, payload: { amount: 20 }, ...body });
  expect(reply.body).toMatchObject({ decision: 'pending', approval: {} });
  return reply.body.action_id;
}

/** The card of an action, as it stands now. */
export async function cardOf(slack: FakeSlack, actionId: string) {
  return eventually(async () => {
    const found = slack
      .messages('#approvals')
      .find(({ metadata }) => metadata?.event_payload['action_id'] === actionId);
    if (!found) throw new Error(`no card of ${actionId}`);
    return found;
  });
}

export const textOf = (message: { blocks: unknown }) => JSON.stringify(message.blocks);

/** A mail server and a PagerDuty beside Slack, and the settings by which Placet finds them. */
export async function startOtherChannels(options: Parameters<typeof startFakeSmtp>[0] = {}) {
  const smtp = await startFakeSmtp(options);
  const pagerduty = await startFakePagerDuty();
  const env = {
    PLACET_PUBLIC_URL: 'https://placet.example.com',
    PLACET_SMTP_URL: smtp.url,
    PLACET_MAIL_FROM: 'placet@example.com',
    PLACET_PAGERDUTY_URL: pagerduty.url,
    PLACET_PAGERDUTY_KEYS: `airline=${pagerduty.routingKeys[0]}`,
  };
  return { smtp, pagerduty, env };
}
