import { randomBytes } from 'node:crypto';
import { boxPlaces, type Webhook, type WebhookEvent, type WebhookTarget } from '@placet/events';
import type { SecretBox } from '@placet/proof';
import {
  type ConfigStore,
  createAddressGuard,
  defined,
  misfitOf,
  Refusal,
  type ValidEntry,
} from '@placet/runtime';
import { boxOf, newSecret, withNewSecret } from './secrets.ts';

/** Each event is looked at for all of them. */
const webhooksMax = 50;

export type WebhookFields = {
  url: string;
  description?: string | undefined;
  events: readonly WebhookEvent[];
  agents?: readonly string[] | undefined;
  actions?: readonly string[] | undefined;
};
/** What is null is taken away. */
export type WebhookChanges = {
  url?: string | undefined;
  description?: string | null | undefined;
  events?: readonly WebhookEvent[] | undefined;
  agents?: readonly string[] | null | undefined;
  actions?: readonly string[] | null | undefined;
  disabled?: boolean | undefined;
};

export type Webhooks = ReturnType<typeof createWebhooks>;

/** Where other systems are told. An address and its secrets are kept in boxes; the origin alone is readable. */
export function createWebhooks(
  store: ConfigStore<Webhook>,
  { secretBox, webhookAllowedHosts }: { secretBox?: SecretBox | undefined; webhookAllowedHosts: string[] },
) {
  const guard = createAddressGuard({ allowedHosts: webhookAllowedHosts });

  const all = () =>
    store.all().flatMap((entry) => (entry.status === 'valid' && !entry.value.deleted ? [entry] : []));

  function found(id: string): ValidEntry<Webhook> {
    const entry = store.get(id);
    if (entry?.status === 'valid' && !entry.value.deleted) return entry;
    throw new Refusal('NOT_FOUND', { message: `There is no webhook ${id}.` });
  }

  function addressOf(id: string, url: string): Pick<Webhook, 'origin' | 'url'> {
    const target = guard.checkUrl(url);
    if (!target.ok) throw misfitOf([{ path: 'url', message: target.reason }]);
    return {
      origin: target.url.origin,
      url: boxOf(secretBox).encrypt(target.url.href, boxPlaces.webhookUrl(id)),
    };
  }

  async function change(
    id: string,
    by: string,
    why: string,
    next: (webhook: Webhook) => Webhook,
  ): Promise<Webhook> {
    const { value, revision } = found(id);
    const changed = next(value);
    await store.put(id, changed, { by, why, expected: revision });
    return changed;
  }

  return {
    list: () => all().map(({ value }) => value),
    get: (id: string) => found(id).value,
    onChange: store.onChange,

    /** Those that are sent to. */
    targets: (): WebhookTarget[] => all().flatMap((entry) => (entry.value.disabled ? [] : [targetOf(entry)])),
    target: (id: string): WebhookTarget => targetOf(found(id)),

    async create({ url, ...rest }: WebhookFields, given: string | undefined, by: string, now: Date) {
      if (all().length >= webhooksMax) {
        throw new Refusal('VALIDATION_ERROR', {
          message: `There are ${webhooksMax} webhooks already, which is the most. Delete one first.`,
        });
      }
      const id = `wh_${randomBytes(10).toString('hex')}`;
      const { text, boxed } = newSecret(secretBox, boxPlaces.webhookSecret(id), { given, now });
      const since = now.toISOString();
      const webhook: Webhook = {
        id,
        ...addressOf(id, url),
        ...defined({ description: rest.description, agents: list(rest.agents), actions: list(rest.actions) }),
        events: rest.events.map((type) => ({ type, since })),
        secrets: [boxed],
        created_at: since,
      };
      await store.put(id, webhook, { by, why: 'a new webhook', expected: 0 });
      return { webhook, secret: text };
    },

    update(id: string, changes: WebhookChanges, by: string, now: Date): Promise<Webhook> {
      const address = changes.url === undefined ? {} : addressOf(id, changes.url);
      const why = `changed: ${Object.keys(defined(changes)).join(', ')}`;
      return change(id, by, why, (webhook) => ({ ...changed(webhook, changes, now), ...address }));
    },

    /** What stands in its place says that it is gone. */
    async remove(id: string, by: string): Promise<void> {
      await change(id, by, 'deleted', (webhook) => ({ ...webhook, deleted: true, url: '', secrets: [] }));
    },

    async rotate(
      id: string,
      { given, graceMs }: { given?: string | undefined; graceMs: number },
      by: string,
      now: Date,
    ) {
      found(id);
      const { text, boxed } = newSecret(secretBox, boxPlaces.webhookSecret(id), { given, now });
      const webhook = await change(id, by, 'a new secret', (before) => ({
        ...before,
        secrets: withNewSecret(before.secrets, boxed, { now, graceMs }),
      }));
      return { webhook, secret: text };
    },

    /** The receiver wants no more. One that was changed since it said so stays as it is. */
    async disable(id: string, revision: number, reason: string, now: Date): Promise<boolean> {
      const entry = store.get(id);
      if (entry?.status !== 'valid' || entry.revision !== revision || entry.value.disabled) return false;
      const value = { ...entry.value, disabled: { at: now.toISOString(), reason } };
      await store.put(id, value, { by: 'service:notifier', why: reason, expected: revision });
      return true;
    },
  };
}

function changed(webhook: Webhook, changes: WebhookChanges, now: Date): Webhook {
  const { description, agents, actions, disabled: wasDisabled, ...rest } = webhook;
  const at = now.toISOString();
  const isDisabled = changes.disabled ?? wasDisabled !== undefined;
  const isEnabledAnew = wasDisabled !== undefined && !isDisabled;
  const types = changes.events ?? webhook.events.map(({ type }) => type);
  const sinceOf = (type: WebhookEvent) => webhook.events.find((one) => one.type === type)?.since ?? at;
  return {
    ...rest,
    ...defined({
      description: kept(changes.description, description),
      agents: list(kept(changes.agents, agents)),
      actions: list(kept(changes.actions, actions)),
      disabled: isDisabled ? (wasDisabled ?? { at, reason: 'disabled by an administrator' }) : undefined,
    }),
    // What happened while nobody wanted it is not sent later.
    events: types.map((type) => ({ type, since: isEnabledAnew ? at : sinceOf(type) })),
  };
}

const kept = <T>(change: T | null | undefined, before: T | undefined): T | undefined =>
  change === undefined ? before : (change ?? undefined);

const list = (names: readonly string[] | undefined) => (names === undefined ? undefined : [...names]);

function targetOf({ value, revision }: ValidEntry<Webhook>): WebhookTarget {
  const { id, origin, url, events, agents, actions, secrets } = value;
  return { id, origin, url, events, secrets, revision, ...defined({ agents, actions }) };
}
