import { type MailAddress, mailDisagreements, mailSettings, type SmtpServer } from '@placet/mail';
import { isWebhookSecret, type SecretBox } from '@placet/proof';
import {
  createAddressGuard,
  durationMs,
  masterKeySetting,
  publicUrlSetting,
  secret,
  setting,
  slackApiSetting,
  webhookHostsSetting,
} from '@placet/runtime';
import * as z from 'zod';
import { pagerdutySettings } from './channels/pagerduty/settings.ts';

export const notifierSettings = {
  slackBotToken: secret(
    'PLACET_SLACK_BOT_TOKEN',
    z
      .string()
      .regex(/^xoxb-\S+$/, 'must be the bot token of the app, which begins with xoxb-')
      .optional(),
    'The bot token of the Slack app (`xoxb-…`). Without it nothing is sent to Slack.',
  ),
  slackApiUrl: slackApiSetting,
  publicUrl: publicUrlSetting,
  ...pagerdutySettings,
  ...mailSettings,
  webhookUrl: setting(
    'PLACET_WEBHOOK_URL',
    z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).optional(),
    'Where approvals are announced, as signed webhooks.',
    '',
  ),
  webhookSecret: secret(
    'PLACET_WEBHOOK_SECRET',
    z.string().refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in base64').optional(),
    'The secret that webhooks are signed with (`whsec_…`).',
  ),
  webhookAllowedHosts: webhookHostsSetting,
  webhookTimeoutMs: setting(
    'PLACET_WEBHOOK_TIMEOUT',
    durationMs('15s', '100ms', '15s'),
    'How long an attempt to send a webhook waits for the answer.',
    '15s',
  ),
  secretBox: masterKeySetting,
};

/** What is right by itself and cannot be together. */
export function notifierDisagreements(config: NotifierConfig): string[] {
  return [...mailDisagreements(config), ...webhookDisagreements(config)];
}

function webhookDisagreements({ webhookUrl, webhookSecret, webhookAllowedHosts }: NotifierConfig): string[] {
  if ((webhookUrl === undefined) !== (webhookSecret === undefined)) {
    return ['PLACET_WEBHOOK_URL and PLACET_WEBHOOK_SECRET go together: set both, or neither'];
  }
  if (webhookUrl === undefined) return [];
  const target = createAddressGuard({ allowedHosts: webhookAllowedHosts }).checkUrl(webhookUrl);
  return target.ok ? [] : [`PLACET_WEBHOOK_URL: ${target.reason}`];
}

export type NotifierConfig = {
  slackBotToken?: string | undefined;
  slackApiUrl: string;
  publicUrl?: string | undefined;
  pagerdutyKeys: ReadonlyMap<string, string>;
  pagerdutyUrl: string;
  smtpServer?: SmtpServer | undefined;
  mailFrom?: MailAddress | undefined;
  webhookUrl?: string | undefined;
  webhookSecret?: string | undefined;
  webhookAllowedHosts: string[];
  webhookTimeoutMs: number;
  secretBox?: SecretBox | undefined;
};
