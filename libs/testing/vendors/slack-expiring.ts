import { randomId } from './slack-ids.ts';

const triggerLivesMs = 3000;
const responseUrlLivesMs = 30 * 60_000;
const responseUrlUsesMax = 5;

/** What a gesture gives the app to open a modal with: once, and soon. */
export function createTriggers(now: () => number) {
  const given = new Map<string, { user: string; at: number; used: boolean }>();
  return {
    give(user: string): string {
      const id = randomId();
      given.set(id, { user, at: now(), used: false });
      return id;
    },
    /** The person who gave it, or why it is good for nothing. */
    use(id: string): { user: string } | { error: string } {
      const trigger = given.get(id);
      if (!trigger) return { error: 'invalid_arguments' };
      if (trigger.used) return { error: 'exchanged_trigger_id' };
      if (now() - trigger.at > triggerLivesMs) return { error: 'expired_trigger_id' };
      trigger.used = true;
      return { user: trigger.user };
    },
  };
}

type Target = { channel: string; ts: string; user: string };

/** Where the app may answer a gesture for a while: paths on Slack's own server. */
export function createResponseUrls(teamId: string, now: () => number) {
  const given = new Map<string, { target: Target; at: number; uses: number }>();
  return {
    give(target: Target): string {
      const path = `/actions/${teamId}/${randomId()}`;
      given.set(path, { target, at: now(), uses: 0 });
      return path;
    },
    use(path: string): Target | { error: string } {
      const found = given.get(path);
      if (!found || now() - found.at > responseUrlLivesMs) return { error: 'expired_url' };
      if (found.uses === responseUrlUsesMax) return { error: 'used_url' };
      found.uses += 1;
      return found.target;
    },
  };
}
