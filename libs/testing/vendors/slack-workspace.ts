import { createResponseUrls, createTriggers } from './slack-expiring.ts';
import type { Block, Modal } from './slack-limits.ts';

export type SlackUser = { id: string; email: string; name: string; deleted?: boolean };
/** The bot is in a channel, and the channel is not archived, if nothing else is said. */
export type SlackChannel = { id: string; name: string; member?: boolean; archived?: boolean };
export type SlackMetadata = { event_type: string; event_payload: Record<string, unknown> };

export type SlackMessage = {
  channel: string;
  ts: string;
  user: string;
  text: string;
  blocks: Block[];
  metadata?: SlackMetadata;
  threadTs?: string;
  edited: boolean;
  /** What stood there before, the oldest first. */
  earlierBlocks: Block[][];
};
export type SlackEphemeral = { channel: string; user: string; ts: string; text: string; blocks: Block[] };
export type SlackView = { id: string; hash: string; user: string; modal: Modal };

export type SlackOptions = {
  teamId?: string;
  botToken?: string;
  appToken?: string;
  signingSecret?: string;
  channels?: readonly SlackChannel[];
  users?: readonly SlackUser[];
  /** Messages a second in one channel, from which on Slack says 429. No limit if not said. */
  perSecond?: number;
  /** How long that second is. */
  rateWindowMs?: number;
  /** Slack waits 3 s for the app's answer to a gesture. */
  answerWithinMs?: number;
  /** The clock that triggers and response URLs expire by. */
  now?: () => number;
};

const slackDefaults: Required<Omit<SlackOptions, 'perSecond'>> = {
  teamId: 'T0PLACET',
  botToken: 'xoxb-placet',
  appToken: 'xapp-placet',
  signingSecret: 'placet-signing-secret',
  channels: [{ id: 'C0APPROVALS', name: 'approvals' }],
  users: [
    { id: 'U0ANN', email: 'ann@example.com', name: 'ann' },
    { id: 'U0BEN', email: 'ben@example.com', name: 'ben' },
  ],
  answerWithinMs: 3000,
  rateWindowMs: 1000,
  now: Date.now,
};

type SlackSettings = typeof slackDefaults & Pick<SlackOptions, 'perSecond'>;
export type Workspace = ReturnType<typeof createWorkspace>;

/** Everything that Slack knows: who is there, what was said, what is open. */
export function createWorkspace(options: SlackOptions) {
  const settings: SlackSettings = { ...slackDefaults, ...options };
  const { now } = settings;
  const channels = settings.channels.map((channel) => ({ member: true, archived: false, ...channel }));
  const messages: SlackMessage[] = [];
  let lastMicros = 0;

  function nextTs(): string {
    lastMicros = Math.max(lastMicros + 1, Math.floor(now() * 1000));
    return `${Math.floor(lastMicros / 1_000_000)}.${String(lastMicros % 1_000_000).padStart(6, '0')}`;
  }

  function userWith(id: string): SlackUser | undefined {
    return settings.users.find((user) => user.id === id);
  }

  /** The conversation between the bot and one person, which is there as soon as somebody asks for it. */
  function directChannel(user: SlackUser) {
    const id = `D${user.id.slice(1)}`;
    const known = channels.find((channel) => channel.id === id);
    if (known) return known;
    const made = { id, name: '', member: true, archived: false };
    channels.push(made);
    return made;
  }

  function channelWith(id: string) {
    return channels.find((channel) => channel.id === id);
  }

  return {
    settings,
    /** The bot's token may stop being good in the middle of a test. */
    token: { problem: null as string | null },
    messages,
    ephemerals: [] as SlackEphemeral[],
    views: new Map<string, SlackView>(),
    nextTs,
    userWith,
    directChannel,
    channelWith,
    namedChannels(isWithoutArchived: boolean) {
      return channels.filter(({ name, archived }) => name !== '' && !(isWithoutArchived && archived));
    },
    /** A message may be posted to an id, to a #name, or to a person. */
    channelToPost(reference: string) {
      const user = userWith(reference);
      if (user) return directChannel(user);
      return (
        channelWith(reference) ??
        channels.find(({ name }) => name !== '' && name === reference.replace(/^#/, ''))
      );
    },
    add(message: Omit<SlackMessage, 'ts' | 'edited' | 'earlierBlocks'>): SlackMessage {
      const added = { ...message, ts: nextTs(), edited: false, earlierBlocks: [] };
      messages.push(added);
      return added;
    },
    replace(
      message: SlackMessage,
      change: Partial<Pick<SlackMessage, 'text' | 'blocks' | 'metadata'>>,
    ): void {
      message.earlierBlocks.push(message.blocks);
      Object.assign(message, change, { edited: true });
    },
    remove(message: SlackMessage): void {
      messages.splice(messages.indexOf(message), 1);
    },
    messageAt(channel: string, ts: string): SlackMessage | undefined {
      return messages.find((message) => message.channel === channel && message.ts === ts);
    },
    triggers: createTriggers(now),
    responseUrls: createResponseUrls(settings.teamId, now),
  };
}
