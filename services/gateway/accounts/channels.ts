import { approverText, type ChannelRole } from '@placet/events';
import { type ChannelRoles, causeId } from '@placet/runtime';

export type Channels = ReturnType<typeof createChannels>;

/** Who may vote in which channel, where that is not whoever has the role approver. */
export function createChannels({ store, roleOf }: ChannelRoles) {
  // A channel may be called what no key may.
  const keyOf = (channel: string) => `channel_${causeId(channel).slice(0, 24)}`;

  return {
    roleOf,
    list: (): { id: string; role: string }[] =>
      store.all().flatMap((entry) => {
        if (entry.status !== 'valid' || entry.value.role === null) return [];
        const { channel, role } = entry.value;
        return [{ id: approverText({ kind: 'channel', channel }), role }];
      }),

    async map(channel: string, role: string | null, by: string): Promise<void> {
      const key = keyOf(channel);
      const value: ChannelRole = { channel, role };
      const why =
        role === null ? `#${channel} has no role of its own any more` : `#${channel} is for ${role}`;
      await store.put(key, value, { by, why, expected: store.get(key)?.revision ?? 0 });
    },
  };
}
