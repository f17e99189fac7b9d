import { createAllowance } from './allowance.ts';
import type { Links, Token } from './links.ts';

const lifeMaxMs = 86_400_000;
const mails = { max: 3, withinMs: 15 * 60_000 };

export type SignInLinks = ReturnType<typeof createSignInLinks>;

export function createSignInLinks(links: Links) {
  const mailed = new Map<string, number[]>();
  const made = createAllowance({ max: 30, withinMs: 3_600_000 });

  return {
    async make(
      person: string,
      { base, lifeMs, by }: { base: string; lifeMs: number; by?: Token | undefined },
    ) {
      made.count(person, new Date());
      const expires_at = new Date(Date.now() + Math.min(lifeMs, lifeMaxMs)).toISOString();
      const token = await links.make({ kind: 'sign_in', person, ...(by ? { by } : {}), expires_at });
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
