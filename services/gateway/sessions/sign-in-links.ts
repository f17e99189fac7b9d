import type { Links } from './links.ts';

const lifeMaxMs = 86_400_000;
const mails = { max: 3, withinMs: 15 * 60_000 };

export type SignInLinks = ReturnType<typeof createSignInLinks>;

export function createSignInLinks(links: Links) {
  const mailed = new Map<string, number[]>();

  return {
    async make(person: string, { base, lifeMs }: { base: string; lifeMs: number }) {
      const expires_at = new Date(Date.now() + Math.min(lifeMs, lifeMaxMs)).toISOString();
      const token = await links.make({ kind: 'sign_in', person, expires_at });
      return { url: `${base}/sign-in/${token}`, expires_at };
    },

    /** Whoever knows an address cannot fill its box. */
    mayMail(person: string, now: Date): boolean {
      const since = now.getTime() - mails.withinMs;
      const recent = (mailed.get(person) ?? []).filter((at) => at > since);
      if (recent.length >= mails.max) return false;
      mailed.set(person, [...recent, now.getTime()]);
      return true;
    },
  };
}
