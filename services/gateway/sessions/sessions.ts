import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Person } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import type { BusContext } from '@placet/runtime';
import { type People, timesDisabled } from '../accounts/people.ts';
import { createAllowance } from './allowance.ts';
import type { Token } from './links.ts';
import { createSessionStore, type Session } from './session-store.ts';

const lifeMs = 7 * 86_400_000;
export type SessionView = Pick<Session, 'created_at' | 'expires_at' | 'browser'> & { id: string };

/** Who is signed in, and what a form of theirs has to carry. */
export type SignedIn = { person: Person; session: string; formToken: string };
export type Sessions = ReturnType<typeof createSessions>;

type Begun = { browser: string; by?: Token | undefined; until?: number };

/** A browser holds the secret of its session, and we its hash. */
export function createSessions({ context, people }: { context: BusContext; people: People }) {
  const store = createSessionStore(context, people);
  const begun = createAllowance({ max: 100, withinMs: 3_600_000 });

  return {
    lifeMs,
    ...store.standing,

    /** What the browser is to keep. */
    async begin(
      person: Person,
      { browser, by, until = Number.POSITIVE_INFINITY }: Begun,
      now: Date,
    ): Promise<string> {
      begun.count(person.id, now);
      const secret = randomBytes(32).toString('base64url');
      const end = new Date(Math.min(now.getTime() + lifeMs, until));
      const session: Session = {
        person: person.id,
        hash: sha256Hex(secret),
        created_at: now.toISOString(),
        expires_at: end.toISOString(),
        times_disabled: timesDisabled(person),
        ...(by ? { by } : {}),
        browser: browser.slice(0, 200),
      };
      return `${person.id}.${await store.add(session, now)}.${secret}`;
    },

    async find(cookie: string | undefined, now: Date): Promise<SignedIn | null> {
      const [, id, place, secret] = /^(per_[0-9a-f]{24})\.(\d{1,2})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
      if (id === undefined || secret === undefined) return null;
      const hash = sha256Hex(secret);
      const found = await store.openAt(id, Number(place), now);
      if (found?.hash !== hash) return null;
      const person = people.list().find((one) => one.id === id);
      return person ? { person, session: hash, formToken: formTokenOf(secret) } : null;
    },

    async open(person: string, now: Date): Promise<SessionView[]> {
      return (await store.openOf(person, now)).map(({ value: { hash, created_at, expires_at, browser } }) => {
        return { id: hash, created_at, expires_at, browser };
      });
    },

    async end(person: string, id: string, now: Date): Promise<void> {
      await store.endThose(person, now, ({ hash }) => hash === id);
    },

    endAll: (person: string, now: Date) => store.endThose(person, now),
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
