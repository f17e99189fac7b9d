import type { Agent } from '@placet/events';
import { parseCredential } from '@placet/proof';
import { type ConfigStore, Refusal, type ValidEntry } from '@placet/runtime';
import { isCurrent, issueCredential, revoke } from './credentials.ts';

const keysMax = 20;

export type Agents = ReturnType<typeof createAgents>;

/** Agents and their keys. An agent is one value, so that a change of its keys is one write. */
export function createAgents(store: ConfigStore<Agent>) {
  let byKey = new Map<string, string>();
  const index = () => {
    byKey = new Map();
    for (const entry of store.all()) {
      if (entry.status === 'valid') for (const key of entry.value.keys) byKey.set(key.id, entry.key);
    }
  };
  index();
  store.onChange(index);

  function found(name: string): ValidEntry<Agent> {
    const entry = store.get(name);
    if (entry?.status === 'valid') return entry;
    throw new Refusal('NOT_FOUND', { message: `There is no agent ${name}.` });
  }

  async function change(
    name: string,
    by: string,
    why: string,
    next: (agent: Agent) => Agent,
  ): Promise<Agent> {
    const { value, revision } = found(name);
    const changed = next(value);
    await store.put(name, changed, { by, why, expected: revision });
    return changed;
  }

  return {
    list: () => store.all().flatMap((entry) => (entry.status === 'valid' ? [entry.value] : [])),
    get: (name: string) => found(name).value,

    /** The agent whose key this is, or null. */
    authenticate(text: string, now: Date): Agent | null {
      const parsed = parseCredential(text);
      const entry = parsed?.kind === 'agent' ? store.get(byKey.get(parsed.id) ?? '') : undefined;
      if (entry?.status !== 'valid' || entry.value.disabled) return null;
      const key = entry.value.keys.find((k) => k.id === parsed?.id);
      return key && isCurrent(key, text, now) ? entry.value : null;
    },

    /** Names are never used again, so that the record stays unambiguous. */
    async create(name: string, owner: string, by: string, now: Date) {
      if (store.get(name)) {
        throw new Refusal('ALREADY_EXISTS', {
          message: `There is an agent ${name}, or was one. Choose another name.`,
        });
      }
      const { text, stored } = issueCredential('agent', now);
      const agent = { name, owner, created_at: now.toISOString(), disabled: false, keys: [stored] };
      await store.put(name, agent, { by, why: 'a new agent', expected: 0 });
      return { agent, key: text };
    },

    disable(name: string, by: string) {
      return change(name, by, 'disabled', (agent) => ({ ...agent, disabled: true }));
    },

    async addKey(name: string, by: string, now: Date, expiresAt?: string) {
      const { text, stored } = issueCredential('agent', now, expiresAt);
      const agent = await change(name, by, `a new key ${stored.id}`, (a) => {
        const keys = [...a.keys.filter((k) => k.revoked_at === undefined), stored];
        if (keys.length > keysMax)
          throw new Refusal('VALIDATION_ERROR', {
            message: `An agent has at most ${keysMax} keys. Revoke one first.`,
          });
        return { ...a, keys: [...a.keys, stored].slice(-2 * keysMax) };
      });
      return { agent, key: text, id: stored.id };
    },

    /** A new key in place of an old one, which may live on for a while so that a deployment can follow. */
    async rotateKey(name: string, id: string, by: string, now: Date, graceMs: number) {
      const { text, stored } = issueCredential('agent', now);
      const agent = await change(name, by, `key ${id} replaced by ${stored.id}`, (a) => {
        const revoked = revoke(a.keys, id, now);
        const ending = new Date(now.getTime() + graceMs).toISOString();
        const keys =
          graceMs > 0 ? a.keys.map((k) => (k.id === id ? { ...k, expires_at: ending } : k)) : revoked;
        return { ...a, keys: [...keys, stored].slice(-2 * keysMax) };
      });
      return { agent, key: text, id: stored.id };
    },

    revokeKey(name: string, id: string, by: string, now: Date) {
      return change(name, by, `key ${id} revoked`, (a) => ({ ...a, keys: revoke(a.keys, id, now) }));
    },
  };
}
