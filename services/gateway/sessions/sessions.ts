import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Person, sessionsBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { type BusContext, openKeptValues, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { hasEnded } from '../accounts/credentials.ts';
import type { People } from '../accounts/people.ts';
import { createAllowance } from './allowance.ts';
import { Token } from './links.ts';

const lifeMs = 7 * 86_400_000;

const Session = z.object({
  person: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().optional(),
  /** The token that it came from: it ends with that. */
  by: Token.optional(),
  /** What the browser called itself, so that its owner recognizes it. */
  browser: z.string(),
});
type Session = z.infer<typeof Session>;

export type SessionView = Pick<Session, 'created_at' | 'expires_at' | 'browser'> & { id: string };

/** Who is signed in, and what a form of theirs has to carry. */
export type SignedIn = { person: Person; session: string; formToken: string };
export type Sessions = ReturnType<typeof createSessions>;

/** A browser holds the secret of its session, and we its hash. */
export function createSessions({ context, people }: { context: BusContext; people: People }) {
  const kept = openKeptValues(context, sessionsBucket, Session);
  const begun = createAllowance({ max: 100, withinMs: 3_600_000 });
  const keyOf = (person: string, id: string) => `session.${person}.${id}`;
  const isOpen = ({ ended_at, expires_at }: Session, now: Date) =>
    ended_at === undefined && Date.parse(expires_at) > now.getTime();

  /** When the token ends by which somebody came. */
  function endOf(by: Token | undefined): number {
    const owner = people.list().find(({ id }) => id === by?.person);
    const ends = owner?.tokens.find(({ id }) => id === by?.id)?.expires_at;
    return ends === undefined ? Number.POSITIVE_INFINITY : Date.parse(ends);
  }

  /** Whether the token that somebody came by still works, and its owner is still here. */
  function isStanding(by: Token | undefined, now: Date): boolean {
    if (!by) return true;
    const owner = people.list().find(({ id, disabled }) => id === by.person && !disabled);
    return owner?.tokens.some((token) => token.id === by.id && !hasEnded(token, now)) ?? false;
  }

  async function end(person: string, id: string, now: Date): Promise<void> {
    const found = await kept.get(keyOf(person, id));
    if (!found) throw new Refusal('NOT_FOUND', { message: 'There is no such session.' });
    if (!isOpen(found.value, now)) return;
    await kept.put(found.key, { ...found.value, ended_at: now.toISOString() }, found.revision);
  }

  async function open(person: string, now: Date): Promise<SessionView[]> {
    const all = await kept.list(`session.${person}`);
    return all
      .filter(({ value }) => isOpen(value, now))
      .map(({ key, value: { created_at, expires_at, browser } }) => {
        return { id: key.split('.').at(-1) ?? '', created_at, expires_at, browser };
      })
      .toSorted((one, other) => other.created_at.localeCompare(one.created_at));
  }

  return {
    lifeMs,
    isStanding,
    endOf,

    /** What the browser is to keep. */
    async begin(
      person: Person,
      {
        browser,
        by,
        until = Number.POSITIVE_INFINITY,
      }: { browser: string; by?: Token | undefined; until?: number },
      now: Date,
    ): Promise<string> {
      begun.count(person.id, now);
      const secret = randomBytes(32).toString('base64url');
      const session: Session = {
        person: person.id,
        created_at: now.toISOString(),
        expires_at: new Date(Math.min(now.getTime() + lifeMs, until)).toISOString(),
        ...(by ? { by } : {}),
        browser: browser.slice(0, 200),
      };
      await kept.put(keyOf(person.id, sha256Hex(secret)), session, 0);
      return `${person.id}.${secret}`;
    },

    async find(cookie: string | undefined, now: Date): Promise<SignedIn | null> {
      const [, id, secret] = /^(per_[0-9a-f]{24})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
      if (id === undefined || secret === undefined) return null;
      const hash = sha256Hex(secret);
      const found = await kept.get(keyOf(id, hash));
      if (!found || !isOpen(found.value, now) || !isStanding(found.value.by, now)) return null;
      const person = people.list().find((one) => one.id === id && !one.disabled);
      return person ? { person, session: hash, formToken: formTokenOf(secret) } : null;
    },

    open,
    end,
    async endAll(person: string, now: Date): Promise<number> {
      const all = await open(person, now);
      await Promise.all(all.map(({ id }) => end(person, id, now)));
      return all.length;
    },
  };
}

/** Another site can make a browser send a form, and cannot read what stands in ours. */
function formTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('form').digest('base64url');
}

export function isFormToken({ formToken }: SignedIn, given: string | undefined): boolean {
  const [one, other] = [Buffer.from(formToken), Buffer.from(given ?? '')];
  return one.length === other.length && timingSafeEqual(one, other);
}
