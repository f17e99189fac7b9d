import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Person, sessionsBucket } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { type BusContext, type KeptValue, openKeptValues, Unavailable } from '@placet/runtime';
import * as z from 'zod';
import { hasEnded } from '../accounts/credentials.ts';
import { type People, timesDisabled } from '../accounts/people.ts';
import { createAllowance } from './allowance.ts';
import { Token } from './links.ts';

const lifeMs = 7 * 86_400_000;
/** Each is a place in the store; who signs in once more takes the place of the oldest. */
const sessionsMax = 50;
const attemptsMax = 5;

const Session = z.object({
  person: z.string(),
  /** Of the secret. */
  hash: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
  ended_at: z.string().optional(),
  times_disabled: z.number().int(),
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

type Begun = { browser: string; by?: Token | undefined; until?: number };

/** A browser holds the secret of its session, and we its hash. */
export function createSessions({ context, people }: { context: BusContext; people: People }) {
  const kept = openKeptValues(context, sessionsBucket, Session);
  const begun = createAllowance({ max: 100, withinMs: 3_600_000 });
  const standing = createStanding(people);
  const keyOf = (person: string, place: number) => `session.${person}.${place}`;

  function isOpen({ person: id, ended_at, expires_at, by, times_disabled }: Session, now: Date): boolean {
    const person = people.list().find((one) => one.id === id && !one.disabled);
    if (!person || timesDisabled(person) !== times_disabled) return false;
    return ended_at === undefined && Date.parse(expires_at) > now.getTime() && standing.holds(by, now);
  }

  /** Those that are open, the newest first. */
  async function openOf(person: string, now: Date): Promise<KeptValue<Session>[]> {
    const all = await kept.list(`session.${person}`);
    return all
      .filter(({ value }) => isOpen(value, now))
      .toSorted((one, other) => other.value.created_at.localeCompare(one.value.created_at));
  }

  /** Where there is room for one more. */
  async function placeFor(person: string, now: Date): Promise<{ place: number; revision: number }> {
    const all = new Map((await kept.list(`session.${person}`)).map((one) => [one.key, one]));
    const places = Array.from({ length: sessionsMax }, (_, place) => {
      const found = all.get(keyOf(person, place));
      const since = found && isOpen(found.value, now) ? found.value.created_at : '';
      return { place, revision: found?.revision ?? 0, since };
    });
    return places.reduce((best, one) => (one.since < best.since ? one : best));
  }

  async function endThose(
    person: string,
    now: Date,
    isMeant: (session: Session) => boolean = () => true,
  ): Promise<number> {
    let ended = 0;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const those = (await openOf(person, now)).filter(({ value }) => isMeant(value));
      const results = await Promise.all(
        those.map(({ key, value, revision }) =>
          // That it has ended need not be known for longer than somebody else may be writing there.
          kept.put(key, { ...value, ended_at: now.toISOString() }, revision, new Date(now.getTime() + 1000)),
        ),
      );
      ended += results.filter((result) => result !== false).length;
      if (results.every((result) => result !== false)) return ended;
    }
    throw new Unavailable('a session changes all the time');
  }

  return {
    lifeMs,
    ...standing,

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
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const { place, revision } = await placeFor(person.id, now);
        const isOurs = await kept.put(keyOf(person.id, place), session, revision, end);
        if (isOurs !== false) return `${person.id}.${place}.${secret}`;
      }
      throw new Unavailable('others sign in as this person all the time');
    },

    async find(cookie: string | undefined, now: Date): Promise<SignedIn | null> {
      const [, id, place, secret] = /^(per_[0-9a-f]{24})\.(\d{1,2})\.([\w-]{43})$/.exec(cookie ?? '') ?? [];
      if (id === undefined || secret === undefined) return null;
      const found = await kept.get(keyOf(id, Number(place)));
      const hash = sha256Hex(secret);
      if (found?.value.hash !== hash || !isOpen(found.value, now)) return null;
      const person = people.list().find((one) => one.id === id);
      return person ? { person, session: hash, formToken: formTokenOf(secret) } : null;
    },

    async open(person: string, now: Date): Promise<SessionView[]> {
      return (await openOf(person, now)).map(({ value: { hash, created_at, expires_at, browser } }) => {
        return { id: hash, created_at, expires_at, browser };
      });
    },

    async end(person: string, id: string, now: Date): Promise<void> {
      await endThose(person, now, ({ hash }) => hash === id);
    },

    endAll: (person: string, now: Date) => endThose(person, now),
  };
}

/** How long a token lasts by which somebody came. */
function createStanding(people: People) {
  const ownerOf = (by: Token) => people.list().find(({ id, disabled }) => id === by.person && !disabled);

  return {
    /** Whether it still works, and its owner is still here. */
    holds(by: Token | undefined, now: Date): boolean {
      if (!by) return true;
      return ownerOf(by)?.tokens.some((token) => token.id === by.id && !hasEnded(token, now)) ?? false;
    },

    /** When it ends. */
    endOf(by: Token | undefined): number {
      const ends = by && ownerOf(by)?.tokens.find(({ id }) => id === by.id)?.expires_at;
      return ends === undefined ? Number.POSITIVE_INFINITY : Date.parse(ends);
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
