import { sessionsBucket } from '@placet/events';
import { type BusContext, type KeptValue, openKeptValues, Unavailable } from '@placet/runtime';
import * as z from 'zod';
import { hasEnded } from '../accounts/credentials.ts';
import { type People, timesDisabled } from '../accounts/people.ts';
import { Token } from './links.ts';

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
export type Session = z.infer<typeof Session>;

/** A person has so many places, in each of which is a session, or one that is over, or none. */
export function createSessionStore(context: BusContext, people: People) {
  const kept = openKeptValues(context, sessionsBucket, Session);
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
    standing,
    openOf,
    endThose,

    /** In which place it is now. */
    async add(session: Session, now: Date): Promise<number> {
      const { person, expires_at } = session;
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const { place, revision } = await placeFor(person, now);
        const isOurs = await kept.put(keyOf(person, place), session, revision, new Date(expires_at));
        if (isOurs !== false) return place;
      }
      throw new Unavailable('others sign in as this person all the time');
    },

    async openAt(person: string, place: number, now: Date): Promise<Session | null> {
      const found = await kept.get(keyOf(person, place));
      return found && isOpen(found.value, now) ? found.value : null;
    },
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
