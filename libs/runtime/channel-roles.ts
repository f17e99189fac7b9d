import { ChannelRole, configBuckets } from '@placet/events';
import type { RaiseAlarm } from './alarms.ts';
import { type ConfigStore, openConfigStore } from './config-store.ts';
import type { BusContext } from './context.ts';
import type { Resources } from './lifecycle.ts';

export type ChannelRoles = {
  store: ConfigStore<ChannelRole>;
  /** Undefined where nothing is said of the channel. */
  roleOf(channel: string): string | undefined;
};

/** Who may vote in which channel, as it is now. */
export async function openChannelRoles(
  context: BusContext,
  alarm: RaiseAlarm,
  resources: Resources,
): Promise<ChannelRoles> {
  const bucket = { bucket: configBuckets.channels, schema: ChannelRole };
  const store = await openConfigStore(context, alarm, resources, bucket);
  return {
    store,
    roleOf(channel) {
      const entry = store.all().find((one) => one.status === 'valid' && one.value.channel === channel);
      return entry?.status === 'valid' ? (entry.value.role ?? undefined) : undefined;
    },
  };
}
