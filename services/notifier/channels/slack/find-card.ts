import type { WebClient } from '@slack/web-api';

/** How far is looked back for a card: so many pages, the newest first, and no longer than nobody takes us for dead. */
const pageSize = 200;
const pagesMax = 10;
const lookMsMax = 6000;
/** The clock of Slack is not ours. */
const clocksDifferMs = 60_000;
const eventType = 'placet_approval';

/** By what a card is found again. */
export const metadataOf = (actionId: string) => ({
  event_type: eventType,
  event_payload: { action_id: actionId },
});

type Wanted = { channel: string; since: number; actionId: string; bot: string | undefined };

/**
 * The card of an action among what we said since, by its time; undefined where there is none, and null where it is not
 * among as much as is looked through. Another app can write the same metadata.
 */
export async function cardSince(
  client: WebClient,
  { channel, since, actionId, bot }: Wanted,
): Promise<string | null | undefined> {
  const oldest = String(Math.floor((since - clocksDifferMs) / 1000));
  const until = Date.now() + lookMsMax;
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax && Date.now() < until; page++) {
    const query = { channel, oldest, include_all_metadata: true, limit: pageSize };
    const { messages = [], response_metadata } = await client.conversations.history({
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const found = messages.find(({ metadata, bot_id }) => {
      const { action_id } = Object(metadata?.event_payload);
      return bot_id === bot && metadata?.event_type === eventType && action_id === actionId;
    });
    if (found?.ts !== undefined) return found.ts;
    cursor = response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  return null;
}
