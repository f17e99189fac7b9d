import { type ConfigBucket, configBuckets } from '@placet/events';
import type { TestBus } from '@placet/testing';
import * as z from 'zod';
import { type ConfigStore, openConfigStore } from '../config-store.ts';

/** A small thing to be configured. */
export const Role = z.object({ role: z.string() });
export type Role = z.infer<typeof Role>;

export function openRoles(
  b: TestBus,
  bucket: ConfigBucket = configBuckets.agents,
  compareEveryMs?: number,
): Promise<ConfigStore<Role>> {
  return openConfigStore(b.context, b.alarm, b.resources, {
    bucket,
    schema: Role,
    ...(compareEveryMs === undefined ? {} : { compareEveryMs }),
  });
}
