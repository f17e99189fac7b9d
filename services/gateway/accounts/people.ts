import type { Person } from '@placet/events';
import { parseCredential, sha256Hex } from '@placet/proof';
import { type ConfigStore, Refusal, type ValidEntry } from '@placet/runtime';
import { isCurrent, issueCredential, revoke } from './credentials.ts';

export const tokensMax = 20;

export type People = ReturnType<typeof createPeople>;

/** One email is one person, because the id is made of it. */
export function personId(email: string): string {
  return `per_${sha256Hex(email.trim().toLowerCase()).slice(0, 24)}`;
}

export function createPeople(store: ConfigStore<Person>) {
  let byToken = new Map<string, string>();
  const index = () => {
    byToken = new Map();
    for (const entry of store.all()) {
      if (entry.status === 'valid') for (const token of entry.value.tokens) byToken.set(token.id, entry.key);
    }
  };
  index();
  store.onChange(index);

  function found(id: string): ValidEntry<Person> {
    const entry = store.get(id);
    if (entry?.status === 'valid') return entry;
    throw new Refusal('NOT_FOUND', { message: `There is no person ${id}.` });
  }

  async function change(
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

    async create(who: { email: string; name?: string | undefined; roles: string[] }, by: string, now: Date) {
      const id = personId(who.email);
      if (store.get(id)) {
        throw new Refusal('ALREADY_EXISTS', { message: `There is a person with the email ${who.email}.` });
      }
      const { text, stored } = issueCredential('person', now);
      const person: Person = {
        id,
        email: who.email.trim().toLowerCase(),
        ...(who.name === undefined ? {} : { name: who.name }),
        roles: [...new Set(who.roles)],
        created_at: now.toISOString(),
        disabled: false,
        tokens: [stored],
      };
      await store.put(id, person, { by, why: 'a new person', expected: 0 });
      return { person, token: text };
    },

    update(id: string, next: { roles?: string[] | undefined; disabled?: boolean | undefined }, by: string) {
      return change(id, by, 'roles or state changed', (person) => ({
        ...person,
        ...(next.roles ? { roles: [...new Set(next.roles)] } : {}),
        ...(next.disabled === undefined ? {} : { disabled: next.disabled }),
      }));
    },

    async addToken(id: string, by: string, now: Date, expiresAt?: string) {
      const { text, stored } = issueCredential('person', now, expiresAt);
      const person = await change(id, by, `a new token ${stored.id}`, (p) => {
        if (p.tokens.filter((t) => t.revoked_at === undefined).length >= tokensMax) {
          throw new Refusal('VALIDATION_ERROR', {
            message: `A person has at most ${tokensMax} tokens. Revoke one first.`,
          });
        }
        return { ...p, tokens: [...p.tokens, stored].slice(-2 * tokensMax) };
      });
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
