import { createSecretBox } from '@placet/proof';
import * as z from 'zod';
import { secret, setting } from './settings.ts';

/** For the gateway, whose pages these are, and the notifier, which links to them. */
export const publicUrlSetting = setting(
  'PLACET_PUBLIC_URL',
  z
    .string()
    .refine(isOrigin, 'must be an http or https address that ends after the host')
    .transform((url) => new URL(url).origin)
    .optional(),
  'The address at which people reach the gateway, as `https://placet.example.com`. Links in messages begin with it.',
  '',
);

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === '/' && `${search}${hash}${username}` === '';
}

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

/** For the gateway, which refuses addresses that can never be sent to, and the notifier, which sends. */
export const webhookHostsSetting = setting(
  'PLACET_WEBHOOK_ALLOWED_HOSTS',
  z
    .string()
    .default('')
    .transform((text) => text.split(',').filter(Boolean))
    .refine((hosts) => hosts.every(isHost), 'must be hosts: host, host:port or [ipv6]:port, with commas'),
  'Private hosts (`host` or `host:port`, separated by commas) that a webhook or a callback may reach nevertheless. For the gateway and the notifier; for development.',
  '',
);

function isHost(text: string): boolean {
  return /^(\[[^\]]+\]|[^:/@\s]+)(:\d{1,5})?$/.test(text);
}

const masterKeyBytes = 32;

/** For the gateway, which puts secrets into the configuration, and the notifier, which takes them out. */
export const masterKeySetting = secret(
  'PLACET_MASTER_KEY',
  z
    .string()
    .refine(isMasterKey, 'must be 32 bytes in base64url, without padding')
    .transform((text) => createSecretBox(Buffer.from(text, 'base64url')))
    .optional(),
  'The key under which secrets are kept in the configuration: 32 random bytes in base64url. Without it there are no webhooks by API and no callbacks; `npm start` makes one by itself.',
);

function isMasterKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === masterKeyBytes && bytes.toString('base64url') === text;
}
