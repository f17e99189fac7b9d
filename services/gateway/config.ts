import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { type MailAddress, mailSettings, type SmtpServer } from '@placet/mail';
import type { SecretBox } from '@placet/proof';
import {
  durationMs,
  masterKeySetting,
  publicUrlSetting,
  secret,
  setting,
  slackApiSetting,
  webhookHostsSetting,
  wholeNumber,
} from '@placet/runtime';
import * as z from 'zod';

export const gatewaySettings = {
  publicUrl: publicUrlSetting,
  ...mailSettings,
  slackApiUrl: slackApiSetting,
  slackSigningSecret: secret(
    'PLACET_SLACK_SIGNING_SECRET',
    z
      .string()
      .regex(/^[\w-]{16,128}$/, 'must be the signing secret of the app, without spaces')
      .optional(),
    'The signing secret of the Slack app. Without it nobody decides in Slack.',
  ),
  slackAppToken: secret(
    'PLACET_SLACK_APP_TOKEN',
    z
      .string()
      .regex(/^xapp-\S+$/, 'must be an app-level token with connections:write, which begins with xapp-')
      .optional(),
    'The app-level token of the Slack app (`xapp-…`), for Socket Mode: where Slack cannot reach the gateway.',
  ),
  host: setting(
    'PLACET_HOST',
    z.string().default('127.0.0.1'),
    'The address that the gateway listens on.',
    '127.0.0.1',
  ),
  port: setting(
    'PLACET_PORT',
    wholeNumber(7070, 0, 65535),
    "The gateway's port; 0 takes a free one.",
    '7070',
  ),
  policyFile: setting(
    'PLACET_POLICY',
    z
      .string()
      .refine((file) => existsSync(file), 'there is no such file')
      .optional(),
    'A policy file for the scope `default`, applied at start and followed when it changes. It wins over `PUT`.',
    '',
  ),
  requestsPerKey: setting(
    'PLACET_RATE_PER_KEY',
    wholeNumber(60_000, 1, 10_000_000),
    'Requests a minute that one key or token may make.',
    '60000',
  ),
  requestsPerAddress: setting(
    'PLACET_RATE_PER_ADDRESS',
    wholeNumber(120_000, 1, 10_000_000),
    'Requests a minute that one network address may make.',
    '120000',
  ),
  trustProxy: setting(
    'PLACET_TRUST_PROXY',
    z
      .string()
      .default('')
      .transform((text) => text.split(',').filter(Boolean))
      .refine((all) => all.every(isNetwork), 'must be addresses or networks such as 10.0.0.0/8, with commas'),
    'Addresses or networks of proxies whose `X-Forwarded-For` is believed, separated by commas.',
    '',
  ),
  verdictWaitMs: setting(
    'PLACET_VERDICT_WAIT',
    durationMs('5s', '10ms', '30s'),
    'How long a check waits for the verdict of the policy before it answers `pending`.',
    '5s',
  ),
  webhookAllowedHosts: webhookHostsSetting,
  secretBox: masterKeySetting,
};
function isNetwork(text: string): boolean {
  const [address = '', prefix = '0', ...more] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

export type GatewayConfig = {
  publicUrl?: string | undefined;
  smtpServer?: SmtpServer | undefined;
  mailFrom?: MailAddress | undefined;
  slackApiUrl: string;
  slackSigningSecret?: string | undefined;
  slackAppToken?: string | undefined;
  host: string;
  port: number;
  policyFile?: string | undefined;
  requestsPerKey: number;
  requestsPerAddress: number;
  trustProxy: string[];
  verdictWaitMs: number;
  webhookAllowedHosts: string[];
  /** Absent: nothing secret can be kept in the configuration. */
  secretBox?: SecretBox | undefined;
};
