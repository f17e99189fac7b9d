import type { Person, SlackIdentity } from '@placet/events';
import { parseCredential, sha256Hex } from '@placet/proof';
import { type ConfigStore, Refusal, type ValidEntry } from '@placet/runtime';
import { isCurrent, issueCredential, revoke, withNew } from './credentials.ts';

/** How many users of Slack one person is. */
export const slackIdentitiesMax = 10;

type Update = {
  roles?: string[] | undefined;
  disabled?: boolean | undefined;
  slack?: SlackIdentity[] | undefined;
};

const slackChanged = 'who it is in Slack changed';
const slackKey = ({ team, user }: SlackIdentity) => `${team} ${user}`;

export const timesDisabled = ({ times_disabled = 0 }: Person) => times_disabled;

export type People = ReturnType<typeof createPeople>;

/** One email is one person, because the id is made of it. */
function personId(email: string): string {
  return `per_${sha256Hex(email.trim().toLowerCase()).slice(0, 24)}`;
}

export function createPeople(store: ConfigStore<Person>) {
  let byToken = new Map<string, string>();
  let bySlack = new Map<string, string>();
  const index = () => {
    byToken = new Map();
    bySlack = new Map();
    for (const entry of store.all()) {
      if (entry.status !== 'valid') continue;
      for (const token of entry.value.tokens) byToken.set(token.id, entry.key);
      for (const identity of entry.value.slack ?? []) bySlack.set(slackKey(identity), entry.key);
    }
  };
  index();
  store.onChange(index);

  function found(id: string): ValidEntry<Person> {
    const entry = store.get(id);
    if (entry?.status === 'valid') return entry;
    throw new Refusal('NOT_FOUND', { message: `There is no person ${id}.` });
  }

  /** One at a time: who is the last administrator is seen only when the change before is. */
  function change(id: string, by: string, why: string, next: (person: Person) => Person): Promise<Person> {
    const changed = changing.then(() => changeNow(id, by, why, next));
    changing = changed.catch(() => {});
    return changed;
  }
  let changing: Promise<unknown> = Promise.resolve();

  async function changeNow(
    id: string,
    by: string,
    why: string,
    next: (person: Person) => Person,
  ): Promise<Person> {
    const { value, revision } = found(id);
    const changed = next(value);
    if (isLastAdmin(value) && !isActiveAdmin(changed)) {
      throw new Refusal('VALIDATION_ERROR', {
        message: 'This is the last administrator. Make another person an administrator first.',
      });
    }
    await store.put(id, changed, { by, why, expected: revision });
    return changed;
  }

  /** One user of Slack is one person. */
  function refuseTaken(identity: SlackIdentity, id: string): void {
    const other = store.get(bySlack.get(slackKey(identity)) ?? '');
    if (other?.status !== 'valid' || other.key === id) return;
    throw new Refusal('ALREADY_EXISTS', {
      message: `${identity.user} of ${identity.team} is linked to ${other.value.email}.`,
    });
  }

  const valid = () => store.all().flatMap((entry) => (entry.status === 'valid' ? [entry.value] : []));
  const isActiveAdmin = (person: Person) => !person.disabled && person.roles.includes('admin');
  const isLastAdmin = (person: Person) =>
    isActiveAdmin(person) && !valid().some((p) => p.id !== person.id && isActiveAdmin(p));

  return {
    list: valid,
    get: (id: string) => found(id).value,

    authenticate(text: string, now: Date): Person | null {
      const parsed = parseCredential(text);
      const entry = parsed?.kind === 'person' ? store.get(byToken.get(parsed.id) ?? '') : undefined;
      if (entry?.status !== 'valid' || entry.value.disabled) return null;
      const token = entry.value.tokens.find((t) => t.id === parsed?.id);
      return token && isCurrent(token, text, now) ? entry.value : null;
    },

    /** Whoever is linked to this user of this workspace, and may act. */
    inSlack(identity: SlackIdentity): Person | null {
      const entry = store.get(bySlack.get(slackKey(identity)) ?? '');
      return entry?.status === 'valid' && !entry.value.disabled ? entry.value : null;
    },

    async create(
      who: { email: string; name?: string | undefined; roles: string[] },
      by: string,
      now: Date,
      expiresAt?: string,
    ) {
      const id = personId(who.email);
      const known = store.get(id);
      if (known?.status === 'valid') {
        throw new Refusal('ALREADY_EXISTS', { message: `There is a person with the email ${who.email}.` });
      }
      const { text, stored } = issueCredential('person', now, expiresAt);
      const person: Person = {
        id,
        email: who.email.trim().toLowerCase(),
        ...(who.name === undefined ? {} : { name: who.name }),
        roles: [...new Set(who.roles)],
        created_at: now.toISOString(),
        disabled: false,
        tokens: [stored],
      };
      // In the place of a value that somebody forged, a new one is how it is healed.
      await store.put(id, person, { by, why: 'a new person', expected: known?.revision ?? 0 });
      return { person, token: text };
    },

    linkSlack(id: string, identity: SlackIdentity, by: string) {
      return change(id, by, slackChanged, (person) => {
        refuseTaken(identity, id);
        const others = (person.slack ?? []).filter((one) => slackKey(one) !== slackKey(identity));
        if (others.length >= slackIdentitiesMax) {
          throw new Refusal('VALIDATION_ERROR', {
            message: `You are ${slackIdentitiesMax} users of Slack already, which is the most. Unlink one first.`,
          });
        }
        return { ...person, slack: [...others, identity] };
      });
    },

    unlinkSlack(id: string, identity: SlackIdentity, by: string) {
      return change(id, by, slackChanged, (person) => ({
        ...person,
        slack: (person.slack ?? []).filter((one) => slackKey(one) !== slackKey(identity)),
      }));
    },

    update(id: string, next: Update, by: string) {
      const why = next.slack ? slackChanged : 'roles or state changed';
      return change(id, by, why, (person) => {
        for (const identity of next.slack ?? []) refuseTaken(identity, id);
        return {
          ...person,
          ...(next.roles ? { roles: [...new Set(next.roles)] } : {}),
          ...(next.disabled === undefined ? {} : { disabled: next.disabled }),
          ...(next.disabled && !person.disabled ? { times_disabled: timesDisabled(person) + 1 } : {}),
          ...(next.slack ? { slack: next.slack } : {}),
        };
      });
    },

    /** When the token ends by which its holder asks. */
    expiryOf(id: string, token: string): string | undefined {
      return found(id).value.tokens.find((one) => one.id === token)?.expires_at;
    },

    async addToken(id: string, by: string, now: Date, expiresAt?: string) {
      const { text, stored } = issueCredential('person', now, expiresAt);
      const person = await change(id, by, `a new token ${stored.id}`, (p) => ({
        ...p,
        tokens: withNew(p.tokens, stored, now),
      }));
      return { person, token: text, id: stored.id };
    },

    revokeToken(id: string, token: string, by: string, now: Date) {
      return change(id, by, `token ${token} revoked`, (p) => ({
        ...p,
        tokens: revoke(p.tokens, token, now),
      }));
    },
  };
}
