import {
  eventually,
  releaseAfterEach,
  startFakePagerDuty,
  startFakeSlack,
  startFakeSmtp,
  startTestPlacet,
} from '@placet/testing';
import { expect, test } from 'vitest';
import { signedIn } from '../pages/visitor.ts';
import { held, webhookReceiver } from '../support.ts';

releaseAfterEach();

const policy = `
version: 1
rules:
  - { action: slack, decide: require_approval, approvers: ["#approvals"] }
  - { action: email, decide: require_approval, approvers: ["user:admin@example.com"] }
  - { action: pagerduty, decide: require_approval, approvers: ["pagerduty:airline"] }
  - { action: webhook, decide: require_approval }
default: require_approval
`;
const mail = { PLACET_MAIL_FROM: 'placet@example.com', PLACET_PUBLIC_URL: 'https://placet.example.com' };

type Case = { channel: string; env: Record<string, string>; says: RegExp };

/** What is wrong from the beginning, and cannot be put right by trying again. */
const cases: [string, () => Promise<Case>][] = [
  [
    'a wrong token of Slack',
    async () => {
      const slack = await startFakeSlack();
      const env = { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: 'xoxb-wrong' };
      return { channel: 'slack', env, says: /invalid_auth.*set PLACET_SLACK_BOT_TOKEN anew/ };
    },
  ],
  [
    'an app that was removed from the workspace',
    async () => {
      const slack = await startFakeSlack();
      slack.revokeToken('account_inactive');
      const env = { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: slack.botToken };
      return { channel: 'slack', env, says: /account_inactive.*install it again/ };
    },
  ],
  [
    'a revoked token of Slack',
    async () => {
      const slack = await startFakeSlack();
      slack.revokeToken();
      const env = { PLACET_SLACK_API_URL: slack.apiUrl, PLACET_SLACK_BOT_TOKEN: slack.botToken };
      return { channel: 'slack', env, says: /token_revoked.*install the app again/ };
    },
  ],
  [
    'a full mailbox',
    async () => {
      const smtp = await startFakeSmtp({ full: { 'admin@example.com': 552 } });
      return { channel: 'email', env: { ...mail, PLACET_SMTP_URL: smtp.url }, says: /552/ };
    },
  ],
  [
    'a wrong key of PagerDuty',
    async () => {
      const pagerduty = await startFakePagerDuty();
      const env = { PLACET_PAGERDUTY_URL: pagerduty.url, PLACET_PAGERDUTY_KEYS: `airline=${'b'.repeat(32)}` };
      return { channel: 'pagerduty', env, says: /routing key/i };
    },
  ],
  [
    'a webhook whose receiver wants no more',
    async () => {
      const { env } = await webhookReceiver(410);
      return { channel: 'webhook', env, says: /410/ };
    },
  ],
];

test.each(cases)(
  '%s: an event, a metric, a line among the notifications, and it is decided elsewhere',
  async (_, start) => {
    const { channel, env, says } = await start();
    const placet = await startTestPlacet({ policy, env });
    const id = await held(placet, { action_name: channel });
    await eventually(async () => {
      const { notifications } = (await placet.admin.get('/v1/notifications?failed')).body;
      expect(notifications).toMatchObject([
        { status: 'failed', channel, action_id: id, error: expect.stringMatching(says) },
      ]);
    });
    const { records } = (await placet.admin.get(`/v1/audit?action=${id}&type=notification.failed`)).body;
    expect(records).toHaveLength(1);
    const metrics = await (await fetch(`${placet.url}/metrics`)).text();
    expect(metrics).toMatch(
      new RegExp(`^placet_notifications_total\\{channel="${channel}",result="failed"\\} 1$`, 'm'),
    );

    const visitor = await signedIn(placet);
    const { text } = await visitor.get(`/approvals/${id}`);
    const payload_digest = /name="payload_digest" value="([^"]+)"/.exec(text)?.[1] ?? '';
    await visitor.send(`/approvals/${id}/votes`, { decide: 'approve', payload_digest });
    expect((await placet.agent.answer(id)).body.decision).toBe('allowed');
  },
);
