import { randomBytes } from 'node:crypto';
import { mailLinksBucket, type Person, sessionsBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { type BusContext, type KeptValue, openKeptValues, Unavailable } from '@placet/runtime';
import * as z from 'zod';
import { type People, timesDisabled } from '../accounts/people.ts';

/** More than can change one link at the same time, as guesses are few. */
const attemptsMax = 50;

const Common = {
  person: z.string(),
  /** How often this person had been disabled: it ends when they are once more. */
  times_disabled: z.number().int().default(0),
  expires_at: z.string(),
  used_at: z.string().optional(),
  /** How often other digits were typed than stand on the page, or are just being compared. */
  misses: z.number().int().optional(),
};
/** A person's token, by its id. */
export const Token = z.object({ person: z.string(), id: z.string() });
export type Token = z.infer<typeof Token>;

const Link = z.discriminatedUnion('kind', [
  /** `by` is the token with which it was asked for: it is worth no more than that. */
  z.object({
    kind: z.literal('sign_in'),
    by: Token.optional(),
    /** Its page wants the digits. */
    is_mailed: z.boolean().optional(),
    ...Common,
  }),
  z.object({ kind: z.literal('slack_code'), ...Common }),
  /** One person, one approval, and the payload that the mail showed. */
  z.object({
    kind: z.literal('mail'),
    agent: z.string(),
    action_id: z.string(),
    payload_digest: z.string(),
    ...Common,
  }),
]);
export type Link = z.infer<typeof Link>;
export type LinkOf<K extends Link['kind']> = Extract<Link, { kind: K }>;
type NewLink<L = Link> = L extends Link ? Omit<L, 'times_disabled'> : never;

export type Found<K extends Link['kind']> = {
  link: LinkOf<K>;
  person: Person;
  /** Null for whoever comes second; otherwise how to give it back, when nothing came of it. */
  use(now: Date): Promise<(() => Promise<void>) | null>;
  /** Counted as a miss before it is looked at, and taken back by use; false where there was no room for one. */
  takeGuess(missesMax: number): Promise<boolean>;
};
export type Links = ReturnType<typeof createLinks>;

/** Links that whoever holds them may use once. Their hash is kept, so that who reads the store can use none. */
export function createLinks(context: BusContext, people: People) {
  const own = openKeptValues(context, sessionsBucket, Link);
  const mailed = openKeptValues(context, mailLinksBucket, Link);
  const storeOf = (kind: Link['kind']) => (kind === 'mail' ? mailed : own);
  const keyOf = (token: string) => `link.${sha256Hex(token)}`;

  return {
    async make(link: NewLink, token = randomBytes(32).toString('base64url')): Promise<string> {
      const made = { ...link, times_disabled: timesDisabled(people.get(link.person)) };
      await storeOf(link.kind).put(keyOf(token), made, 0, new Date(link.expires_at));
      return token;
    },

    /**
     * Null where there is none of this kind, or its time is over, or its person was disabled since. One that was used is
     * found, so that it can be said.
     */
    async find<K extends Link['kind']>(kind: K, token: string, now: Date): Promise<Found<K> | null> {
      if (!/^[\w-]{12,43}$/.test(token)) return null;
      const kept = storeOf(kind);
      const found = (await kept.get(keyOf(token))) as KeptValue<LinkOf<K>> | null;
      if (found?.value.kind !== kind || Date.parse(found.value.expires_at) <= now.getTime()) return null;
      const person = people.list().find(({ id, disabled }) => id === found.value.person && !disabled);
      if (!person || timesDisabled(person) !== found.value.times_disabled) return null;
      const { key } = found;
      const end = new Date(found.value.expires_at);
      let guesses = 0;

      /** The revision of what it made of a link that is not used yet, whoever else changes it; null where it is used. */
      async function changeUnused(next: (link: LinkOf<K>) => LinkOf<K> | null): Promise<number | null> {
        let seen = found;
        for (let attempt = 0; seen && attempt < attemptsMax; attempt++) {
          const changed = seen.value.used_at === undefined ? next(seen.value) : null;
          if (changed === null) return null;
          const revision = await kept.put(key, changed, seen.revision, end);
          if (revision !== false) return revision;
          seen = (await kept.get(key)) as KeptValue<LinkOf<K>> | null;
        }
        if (!seen) return null;
        throw new Unavailable('a link is changed by too many at once');
      }

      return {
        link: found.value,
        person,
        async use(at) {
          let unused = found.value;
          const used = await changeUnused((link) => {
            unused = { ...link, misses: (link.misses ?? 0) - guesses };
            return { ...unused, used_at: at.toISOString() };
          });
          return used === null ? null : async () => void (await kept.put(key, unused, used, end));
        },
        async takeGuess(missesMax) {
          const taken = await changeUnused((link) => {
            const { misses = 0 } = link;
            return misses < missesMax ? { ...link, misses: misses + 1 } : null;
          });
          if (taken === null) return false;
          guesses += 1;
          return true;
        },
      };
    },
  };
}
