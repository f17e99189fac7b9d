import * as z from 'zod';
import { setting } from './settings.ts';

/** For the gateway, whose pages these are, and the notifier, which links to them. */
export const publicUrlSetting = setting(
  'PLACET_PUBLIC_URL',
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https address', abort: true })
    .refine((url) => new URL(url).pathname === '/' && !/[?#]/.test(url), 'must end after the host')
    .transform((url) => new URL(url).origin)
    .optional(),
  'The address at which people reach the gateway, as `https://placet.example.com`. Links in messages begin with it.',
  '',
);

/** The page of one approval. */
export const approvalUrl = (publicUrl: string, actionId: string) => `${publicUrl}/approvals/${actionId}`;

/** For the gateway, which hears of clicks, and the notifier, which sends. */
export const slackApiSetting = setting(
  'PLACET_SLACK_API_URL',
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .default('https://slack.com/api/'),
  'The API of Slack, for the gateway and the notifier. Another only for tests and proxies.',
  'https://slack.com/api/',
);
