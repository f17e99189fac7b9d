import type { WebClient } from '@slack/web-api';

/** Slack takes a limit below 1,000. */
const pageSize = 999;
const pagesMax = 10;
/** A card is not held up for longer. */
const searchMsMax = 5000;

/** The id of the channel with this #name, as far as Slack shows it to the app. */
export async function channelIn(client: WebClient, target: string): Promise<string | undefined> {
  const end = Date.now() + searchMsMax;
  const query = { types: 'public_channel,private_channel', exclude_archived: true, limit: pageSize };
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax && Date.now() < end; page++) {
    const { channels = [], response_metadata } = await client.conversations.list({
      ...query,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const found = channels.find(({ name }) => `#${name}` === target);
    if (found?.id !== undefined) return found.id;
    cursor = response_metadata?.next_cursor;
    if (!cursor) return undefined;
  }
  return undefined;
}
