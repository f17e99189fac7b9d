import * as z from 'zod';
import { setting } from './settings.ts';

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

/** For the notifier, which sends, and the gateway, which makes links for mails only where there are mails. */
export const mailFromSetting = setting(
  'PLACET_MAIL_FROM',
  z
    .string()
    .refine((text) => mailAddressOf(text) !== null, 'must be an address, as Placet <placet@example.com>')
    .transform((text) => mailAddressOf(text) ?? undefined)
    .optional(),
  'Whom mails come from, as `Placet <placet@example.com>`. For the gateway and the notifier.',
  '',
);

export type MailAddress = { name: string; address: string };

function mailAddressOf(text: string): MailAddress | null {
  const match = /^(?:"?(?<name>[^"<>\p{C}]{0,100}?)"? *<(?<inner>[^<>]+)>|(?<bare>[^<>]+))$/u.exec(
    text.trim(),
  );
  const { name = '', inner, bare = '' } = match?.groups ?? {};
  const address = inner ?? bare;
  return /^[^\s\p{C}@<>,:;"()[\]\\]{1,64}@[^\s\p{C}@<>,:;"()[\]\\]{1,189}$/u.test(address)
    ? { name: name.trim(), address }
    : null;
}

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
