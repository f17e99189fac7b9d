import * as z from 'zod';
import { setting } from './settings.ts';

/** For the gateway, which hears of clicks, and the notifier, which sends. */
export const slackApiSetting = setting(
  'PLACET_SLACK_API_URL',
  z
    .url({ protocol: /^https?$/, error: 'must be an http or https address' })
    .default('https://slack.com/api/'),
  'The API of Slack, for the gateway and the notifier. Another only for tests and proxies.',
  'https://slack.com/api/',
);
