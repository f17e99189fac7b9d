import type { WebClient } from '@slack/web-api';

/** Who we are in Slack. */
export type Self = () => Promise<{ team: string | undefined; bot: string | undefined }>;

export function createSelf(client: WebClient): Self {
  let known: Awaited<ReturnType<Self>> | undefined;
  return async () => {
    if (known === undefined) {
      const { team_id: team, bot_id: bot } = await client.auth.test();
      known = { team, bot };
    }
    return known;
  };
}
