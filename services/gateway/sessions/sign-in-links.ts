import { createAllowance } from './allowance.ts';
import type { Links, Token } from './links.ts';

const lifeMaxMs = 86_400_000;

type Wanted = {
  base: string;
  lifeMs: number;
  by?: Token | undefined;
  /** Programs open what comes by mail, so that its page wants digits. */
  isMailed?: boolean;
};
export type SignInLinks = ReturnType<typeof createSignInLinks>;

export function createSignInLinks(links: Links) {
  const made = createAllowance({ max: 30, withinMs: 3_600_000 });

  return {
    async make(id: string, { base, lifeMs, by, isMailed = false }: Wanted) {
      made.count(id, new Date());
      const expires_at = new Date(Date.now() + Math.min(lifeMs, lifeMaxMs)).toISOString();
      const token = await links.make({
        kind: 'sign_in',
        person: id,
        ...(by ? { by } : {}),
        ...(isMailed ? { is_mailed: true } : {}),
        expires_at,
      });
      return { url: `${base}/sign-in/${token}`, expires_at };
    },
  };
}
