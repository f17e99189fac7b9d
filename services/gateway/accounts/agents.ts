import { type Agent, boxPlaces, type CallbackTarget } from '@placet/events';
import { parseCredential, type SecretBox } from '@placet/proof';
import { type ConfigStore, Refusal, type ValidEntry } from '@placet/runtime';
import { newSecret, withNewSecret } from '../webhooks/secrets.ts';
import { endBy, isCurrent, issueCredential, revoke, withNew } from './credentials.ts';

/** The notifier is told of all of them in one message. */
const callbackAgentsMax = 500;

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

  const callbacks = (): CallbackTarget[] =>
    store.all().flatMap((entry) => {
      if (entry.status !== 'valid' || entry.value.disabled) return [];
      const { name, callback_hosts: hosts = [], callback_secrets: secrets = [] } = entry.value;
      return hosts.length > 0 ? [{ agent: name, hosts, secrets }] : [];
    });

  return {
    onChange: store.onChange,
    /** Those that may have themselves called back. */
    callbacks,
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
      const known = store.get(name);
      if (known?.status === 'valid') {
        throw new Refusal('ALREADY_EXISTS', {
          message: `There is an agent ${name}, or was one. Choose another name.`,
        });
      }
      const { text, stored } = issueCredential('agent', now);
      const agent = { name, owner, created_at: now.toISOString(), disabled: false, keys: [stored] };
      // In the place of a value that somebody forged, a new one is how it is healed.
      await store.put(name, agent, { by, why: 'a new agent', expected: known?.revision ?? 0 });
      return { agent, key: text };
    },

    disable(name: string, by: string) {
      return change(name, by, 'disabled', (agent) => ({ ...agent, disabled: true }));
    },

    async allowCallbacks(name: string, hosts: string[], by: string) {
      const isNew = !found(name).value.callback_hosts?.length;
      if (hosts.length > 0 && isNew && callbacks().length >= callbackAgentsMax) {
        throw new Refusal('VALIDATION_ERROR', {
          message: `${callbackAgentsMax} agents have callbacks already, which is the most.`,
        });
      }
      return change(name, by, `callbacks to: ${hosts.join(', ') || 'nowhere'}`, (agent) => ({
        ...agent,
        callback_hosts: hosts,
      }));
    },

    /** A new secret for callbacks; with the one before it they are signed as well for a while. */
    async rotateCallbackSecret(
      name: string,
      { box, graceMs }: { box: SecretBox | undefined; graceMs: number },
      by: string,
      now: Date,
    ) {
      found(name);
      const { text, boxed } = newSecret(box, boxPlaces.callbackSecret(name), { now });
      const agent = await change(name, by, 'a new secret for callbacks', (before) => ({
        ...before,
        callback_secrets: withNewSecret(before.callback_secrets ?? [], boxed, { now, graceMs }),
      }));
      return { agent, secret: text };
    },

    async addKey(name: string, by: string, now: Date, expiresAt?: string) {
      const { text, stored } = issueCredential('agent', now, expiresAt);
      const agent = await change(name, by, `a new key ${stored.id}`, (a) => ({
        ...a,
        keys: withNew(a.keys, stored, now),
      }));
      return { agent, key: text, id: stored.id };
    },

    /** A new key in place of an old one, which may live on for a while so that a deployment can follow. */
    async rotateKey(name: string, id: string, by: string, now: Date, graceMs: number) {
      const { text, stored } = issueCredential('agent', now);
      const agent = await change(name, by, `key ${id} replaced by ${stored.id}`, (a) => ({
        ...a,
        keys: withNew(endBy(a.keys, id, now, graceMs), stored, now),
      }));
      return { agent, key: text, id: stored.id };
    },

    revokeKey(name: string, id: string, by: string, now: Date) {
      return change(name, by, `key ${id} revoked`, (a) => ({ ...a, keys: revoke(a.keys, id, now) }));
    },
  };
}
