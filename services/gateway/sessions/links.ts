import { randomBytes } from 'node:crypto';
import { mailLinksBucket, sessionsBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { type BusContext, type KeptValue, openKeptValues } from '@placet/runtime';
import * as z from 'zod';

const Common = {
  expires_at: z.string(),
  used_at: z.string().optional(),
  /** How often other digits were typed than stand on the page. */
  misses: z.number().int().optional(),
};
/** A person's token, by its id. */
export const Token = z.object({ person: z.string(), id: z.string() });
export type Token = z.infer<typeof Token>;

const Link = z.discriminatedUnion('kind', [
  /** `by` is the token with which it was asked for: it is worth no more than that. */
  z.object({
    kind: z.literal('sign_in'),
    person: z.string(),
    by: Token.optional(),
    /** How often this person had been disabled: it ends when they are once more. */
    times_disabled: z.number().int(),
    /** Its page wants the digits. */
    is_mailed: z.boolean().optional(),
    ...Common,
  }),
  z.object({ kind: z.literal('slack_code'), person: z.string(), ...Common }),
  /** One person, one approval, and the payload that the mail showed. */
  z.object({
    kind: z.literal('mail'),
    person: z.string(),
    agent: z.string(),
    action_id: z.string(),
    payload_digest: z.string(),
    ...Common,
  }),
]);
export type Link = z.infer<typeof Link>;
export type LinkOf<K extends Link['kind']> = Extract<Link, { kind: K }>;

export type Found<K extends Link['kind']> = {
  link: LinkOf<K>;
  /** Null for whoever comes second; otherwise how to give it back, when nothing came of it. */
  use(now: Date): Promise<(() => Promise<void>) | null>;
  miss(): Promise<void>;
};
export type Links = ReturnType<typeof createLinks>;

/** Links that whoever holds them may use once. Their hash is kept, so that who reads the store can use none. */
export function createLinks(context: BusContext) {
  const own = openKeptValues(context, sessionsBucket, Link);
  const mailed = openKeptValues(context, mailLinksBucket, Link);
  const storeOf = (kind: Link['kind']) => (kind === 'mail' ? mailed : own);
  const keyOf = (token: string) => `link.${sha256Hex(token)}`;

  return {
    async make(link: Link, token = randomBytes(32).toString('base64url')): Promise<string> {
      await storeOf(link.kind).put(keyOf(token), link, 0, new Date(link.expires_at));
      return token;
    },

    /** Null where there is none of this kind, or its time is over. One that was used is found, so that it can be said. */
    async find<K extends Link['kind']>(kind: K, token: string, now: Date): Promise<Found<K> | null> {
      if (!/^[\w-]{12,43}$/.test(token)) return null;
      const kept = storeOf(kind);
      const found = (await kept.get(keyOf(token))) as KeptValue<LinkOf<K>> | null;
      if (found?.value.kind !== kind || Date.parse(found.value.expires_at) <= now.getTime()) return null;
      const { key, value, revision } = found;
      const end = new Date(value.expires_at);
      return {
        link: value,
        async use(at) {
          if (value.used_at !== undefined) return null;
          const used = await kept.put(key, { ...value, used_at: at.toISOString() }, revision, end);
          return used === false ? null : async () => void (await kept.put(key, value, used, end));
        },
        async miss() {
          await kept.put(key, { ...value, misses: (value.misses ?? 0) + 1 }, revision, end);
        },
      };
    },
  };
}
