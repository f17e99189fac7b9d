import { type Args, isRecord, objectOf, SlackError, textOf } from './slack-args.ts';
import { bot } from './slack-ids.ts';
import { type Block, checkBlocks } from './slack-limits.ts';
import type { SlackMessage, SlackMetadata, Workspace } from './slack-workspace.ts';

const postedTextMax = 40_000;
const updatedTextMax = 4000;

export type Method = (workspace: Workspace, args: Args) => Record<string, unknown>;

const postMessage: Method = (workspace, args) => {
  const channel = openChannel(workspace, textOf(args, 'channel'));
  const { text = '', blocks = [], metadata } = contentOf(args, postedTextMax);
  if (text === '' && blocks.length === 0) throw new SlackError('no_text');
  const threadTs = textOf(args, 'thread_ts');
  if (threadTs !== undefined && !workspace.messageAt(channel.id, threadTs)) {
    throw new SlackError('thread_not_found');
  }
  const message = workspace.add({
    channel: channel.id,
    user: bot.userId,
    text,
    blocks,
    ...(metadata ? { metadata } : {}),
    ...(threadTs === undefined ? {} : { threadTs }),
  });
  return { channel: channel.id, ts: message.ts, message: asSlackSays(workspace, message, true) };
};

const update: Method = (workspace, args) => {
  const channel = workspace.channelWith(textOf(args, 'channel') ?? '');
  if (!channel) throw new SlackError('channel_not_found');
  if (channel.archived) throw new SlackError('is_inactive');
  const message = workspace.messageAt(channel.id, textOf(args, 'ts') ?? '');
  if (!message) throw new SlackError('message_not_found');
  if (message.user !== bot.userId) throw new SlackError('cant_update_message');
  const content = contentOf(args, updatedTextMax);
  if (content.text === undefined && content.blocks === undefined) throw new SlackError('no_text');
  // A text without blocks takes the blocks away. What else is not said stays.
  workspace.replace(message, { ...(content.text === undefined ? {} : { blocks: [] }), ...content });
  const { ts, text } = message;
  return { channel: channel.id, ts, text, message: asSlackSays(workspace, message, true) };
};

const postEphemeral: Method = (workspace, args) => {
  const channel = openChannel(workspace, textOf(args, 'channel'));
  const user = workspace.userWith(textOf(args, 'user') ?? '');
  if (!user) throw new SlackError('user_not_in_channel');
  const { text = '', blocks = [] } = contentOf(args, postedTextMax);
  if (text === '' && blocks.length === 0) throw new SlackError('no_text');
  const ts = workspace.nextTs();
  workspace.ephemerals.push({ channel: channel.id, user: user.id, ts, text, blocks });
  return { message_ts: ts };
};

export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.postEphemeral': postEphemeral,
};

/** A channel that the bot may write to. */
function openChannel(workspace: Workspace, reference = '') {
  const channel = workspace.channelToPost(reference);
  if (!channel) throw new SlackError('channel_not_found');
  if (channel.archived) throw new SlackError('is_archived');
  if (!channel.member) throw new SlackError('not_in_channel');
  return channel;
}

type Content = { text?: string; blocks?: Block[]; metadata?: SlackMetadata };

export function contentOf(args: Args, textMax: number): Content {
  const text = textOf(args, 'text');
  if (text !== undefined && text.length > textMax) throw new SlackError('msg_too_long');
  const givenBlocks = objectOf(args, 'blocks', 'invalid_blocks_format');
  const givenMetadata = objectOf(args, 'metadata', 'invalid_metadata_format');
  return {
    ...(text === undefined ? {} : { text }),
    ...(givenBlocks === undefined ? {} : { blocks: blocksFrom(givenBlocks) }),
    ...(givenMetadata === undefined ? {} : { metadata: metadataFrom(givenMetadata) }),
  };
}

function blocksFrom(given: unknown): Block[] {
  const checked = checkBlocks(given);
  if ('error' in checked) throw new SlackError(checked.error, checked.messages);
  return checked.value;
}

function metadataFrom(given: unknown): SlackMetadata {
  if (!isRecord(given)) throw new SlackError('invalid_metadata_format');
  const { event_type, event_payload } = given;
  if (typeof event_type !== 'string' || !isRecord(event_payload)) {
    throw new SlackError('invalid_metadata_schema');
  }
  return { event_type, event_payload };
}

/** A message as the API gives it. */
export function asSlackSays(
  { messages, settings }: Workspace,
  message: SlackMessage,
  withMetadata: boolean,
): Record<string, unknown> {
  const { channel, ts, user, text, blocks, threadTs, metadata, edited } = message;
  const replies = messages.filter((reply) => reply.channel === channel && reply.threadTs === ts);
  const thread = threadTs ?? (replies.length > 0 ? ts : undefined);
  return {
    type: 'message',
    user,
    ts,
    text,
    team: settings.teamId,
    ...(user === bot.userId ? { bot_id: bot.botId, app_id: bot.appId } : {}),
    ...(blocks.length > 0 ? { blocks } : {}),
    ...(thread === undefined ? {} : { thread_ts: thread }),
    ...(replies.length > 0 ? { reply_count: replies.length } : {}),
    ...(edited ? { edited: { user, ts: `${ts.split('.')[0]}.000000` } } : {}),
    ...(withMetadata && metadata ? { metadata } : {}),
  };
}
