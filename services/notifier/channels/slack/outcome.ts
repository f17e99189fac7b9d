import { shortened } from '@placet/text';
import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
} from '@slack/web-api';
import type { VendorFailure } from '../failure.ts';

const advice: Record<string, string> = {
  not_in_channel: 'invite the app to the channel (/invite, then its name)',
  channel_not_found: 'there is no such channel, or it is private and the app is not in it: invite the app',
  is_archived: 'the channel is archived',
  invalid_auth: 'the bot token is not valid: set PLACET_SLACK_BOT_TOKEN anew',
  token_revoked: 'the bot token was revoked: install the app again and set PLACET_SLACK_BOT_TOKEN',
  token_expired: 'the bot token has expired: set PLACET_SLACK_BOT_TOKEN anew',
  account_inactive: 'the app was removed from the workspace: install it again',
  missing_scope: 'the app lacks a permission: install it again with the manifest of docs/channels.md',
  restricted_action: 'the workspace does not let the app post there',
  message_not_found: 'the message was deleted',
  cant_update_message: 'the message is not one of the app',
};

const saidCharsMax = 300;

/** What Slack says when it is Slack's own trouble. */
const passing = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'team_added_to_org',
]);

export function failureOf(error: unknown): VendorFailure {
  if (error instanceof WebAPIRateLimitedError) {
    return {
      kind: 'limited',
      retryAfterMs: error.retryAfter * 1000,
      reason: 'Slack takes no more at the moment',
    };
  }
  if (error instanceof WebAPIPlatformError) {
    const { error: code, response_metadata } = error.data;
    // Who stands between answers in the place of Slack now and then, and with anything.
    if (!/^[a-z_]{3,60}$/.test(code)) return { kind: 'passing', reason: 'Slack answered something else' };
    const messages = (response_metadata?.messages ?? []).map((message) =>
      shortened(String(message), saidCharsMax),
    );
    const reason = [`Slack: ${code}`, ...messages.slice(0, 5), ...(advice[code] ? [advice[code]] : [])].join(
      '; ',
    );
    return passing.has(code) ? { kind: 'passing', reason } : { kind: 'lasting', reason };
  }
  if (error instanceof WebAPIHTTPError)
    return { kind: 'passing', reason: `Slack answered ${error.statusCode}` };
  if (error instanceof WebAPIRequestError)
    return { kind: 'passing', reason: `Slack was not reached: ${error.original.message}` };
  return {
    kind: 'passing',
    reason: shortened(error instanceof Error ? error.message : String(error), saidCharsMax),
  };
}
