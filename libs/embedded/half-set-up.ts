import type { PlacetSettings } from './settings.ts';

type Channels = Pick<PlacetSettings, 'slackBotToken' | 'slackSigningSecret' | 'slackAppToken'>;

/** What works as far as it goes, and of which whoever set it up surely wants the other half. */
export function halfSetUp({ slackBotToken, slackSigningSecret, slackAppToken }: Channels): string[] {
  const hearsClicks = slackSigningSecret !== undefined || slackAppToken !== undefined;
  const halves: string[] = [];
  if (slackBotToken !== undefined && !hearsClicks) {
    halves.push(
      'Approvals are shown in Slack, and nobody hears what people click there: set PLACET_SLACK_SIGNING_SECRET, or PLACET_SLACK_APP_TOKEN where Slack cannot reach this machine.',
    );
  }
  if (slackBotToken === undefined && hearsClicks) {
    halves.push('Clicks in Slack are heard, and nothing is sent there: set PLACET_SLACK_BOT_TOKEN.');
  }
  return halves;
}
