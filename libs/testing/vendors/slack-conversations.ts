import { type Args, flagOf, integerOf, SlackError, textOf } from './slack-args.ts';
import { asSlackSays, type Method } from './slack-chat.ts';
import { bot } from './slack-ids.ts';
import type { SlackMessage, SlackUser, Workspace } from './slack-workspace.ts';

const pageDefault = 100;
const pageMax = 999;

const history: Method = (workspace, args) => {
  const channel = readableChannel(workspace, args);
  const found = workspace.messages.filter(
    (message) => message.channel === channel.id && message.threadTs === undefined,
  );
  return page(workspace, found.toReversed(), args);
};

const replies: Method = (workspace, args) => {
  const channel = readableChannel(workspace, args);
  const ts = textOf(args, 'ts') ?? '';
  if (!workspace.messageAt(channel.id, ts)) throw new SlackError('thread_not_found');
  const found = workspace.messages.filter(
    (message) => message.channel === channel.id && (message.ts === ts || message.threadTs === ts),
  );
  return page(workspace, found, args);
};

const open: Method = (workspace, args) => {
  const ids = (textOf(args, 'users') ?? '').split(',').filter(Boolean);
  const [id] = ids;
  if (id === undefined) throw new SlackError('users_list_not_supplied');
  if (ids.length > 1) throw new SlackError('the_fake_slack_has_no_group_conversations');
  const user = workspace.userWith(id);
  if (!user) throw new SlackError('user_not_found');
  if (user.deleted) throw new SlackError('user_disabled');
  return { channel: { id: workspace.directChannel(user).id } };
};

const list: Method = (workspace, args) => {
  const limit = integerOf(args, 'limit', pageDefault);
  if (limit < 1 || limit > pageMax) throw new SlackError('invalid_limit');
  const start = Number(textOf(args, 'cursor') || 0);
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  const channels = workspace.namedChannels(flagOf(args, 'exclude_archived'));
  const end = start + limit;
  return {
    channels: channels
      .slice(start, end)
      .map(({ id, name, member, archived }) => ({ id, name, is_member: member, is_archived: archived })),
    response_metadata: { next_cursor: end < channels.length ? `${end}` : '' },
  };
};

const lookupByEmail: Method = (workspace, args) => {
  const email = textOf(args, 'email')?.toLowerCase();
  const user = workspace.settings.users.find((one) => one.email.toLowerCase() === email && !one.deleted);
  if (!user) throw new SlackError('users_not_found');
  return { user: userAsSlackSays(workspace, user) };
};

const info: Method = (workspace, args) => {
  const user = workspace.userWith(textOf(args, 'user') ?? '');
  if (!user) throw new SlackError('user_not_found');
  return { user: userAsSlackSays(workspace, user) };
};

const authTest: Method = ({ settings }) => ({
  url: 'https://placet-test.slack.com/',
  team: 'Placet test',
  user: bot.name,
  team_id: settings.teamId,
  user_id: bot.userId,
  bot_id: bot.botId,
  is_enterprise_install: false,
});

export const conversationMethods: Record<string, Method> = {
  'auth.test': authTest,
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.open': open,
  'conversations.list': list,
  'users.lookupByEmail': lookupByEmail,
  'users.info': info,
};

/** What is archived can still be read. */
function readableChannel(workspace: Workspace, args: Args) {
  const channel = workspace.channelWith(textOf(args, 'channel') ?? '');
  if (!channel) throw new SlackError('channel_not_found');
  if (!channel.member) throw new SlackError('not_in_channel');
  return channel;
}

function page(workspace: Workspace, found: readonly SlackMessage[], args: Args) {
  const limit = integerOf(args, 'limit', pageDefault);
  if (limit < 1 || limit > pageMax) throw new SlackError('invalid_limit');
  const start = Number(textOf(args, 'cursor') || 0);
  if (!Number.isInteger(start)) throw new SlackError('invalid_cursor');
  const wanted = found.filter(isBetween(args));
  const end = start + limit;
  return {
    messages: wanted
      .slice(start, end)
      .map((message) => asSlackSays(workspace, message, flagOf(args, 'include_all_metadata'))),
    has_more: end < wanted.length,
    response_metadata: { next_cursor: end < wanted.length ? `${end}` : '' },
  };
}

function isBetween(args: Args): (message: SlackMessage) => boolean {
  const oldest = Number(textOf(args, 'oldest') ?? 0);
  const latest = Number(textOf(args, 'latest') ?? Number.POSITIVE_INFINITY);
  const isInclusive = flagOf(args, 'inclusive');
  return ({ ts }) => {
    const at = Number(ts);
    return isInclusive ? at >= oldest && at <= latest : at > oldest && at < latest;
  };
}

function userAsSlackSays({ settings }: Workspace, { id, email, name, deleted = false }: SlackUser) {
  return {
    id,
    team_id: settings.teamId,
    name,
    deleted,
    real_name: name,
    is_bot: false,
    profile: { email, real_name: name, display_name: name },
  };
}
