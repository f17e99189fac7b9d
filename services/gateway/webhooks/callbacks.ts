import { type Agent, boxPlaces } from '@placet/events';
import type { SecretBox } from '@placet/proof';
import { createAddressGuard, Refusal } from '@placet/runtime';

export type Callbacks = ReturnType<typeof createCallbacks>;

/** Where an agent has itself called back. What an agent names is hostile: its hosts are chosen for it. */
export function createCallbacks(config: {
  secretBox?: SecretBox | undefined;
  webhookAllowedHosts: string[];
}) {
  const guard = createAddressGuard({ allowedHosts: config.webhookAllowedHosts });

  return {
    /** The address in a box, for it may hold a token of the agent's; refused where the agent may not be called. */
    boxed(agent: Agent, url: string, actionId: string): string {
      const { secretBox } = config;
      if (secretBox === undefined) throw new Refusal('MASTER_KEY_MISSING');
      const host = URL.parse(url)?.host ?? '';
      if (!agent.callback_hosts?.includes(host)) {
        throw new Refusal('CALLBACK_REFUSED', {
          message:
            `The agent ${agent.name} may not be called back at "${host}". An administrator can allow it: ` +
            `PATCH /v1/agents/${agent.name} with {"callback_hosts":["${host}"]}.`,
        });
      }
      if (!agent.callback_secrets?.length) {
        throw new Refusal('CALLBACK_REFUSED', {
          message:
            `The agent ${agent.name} has no secret that callbacks could be signed with. An administrator can make one: ` +
            `POST /v1/agents/${agent.name}/callback-secret.`,
        });
      }
      const target = guard.checkUrl(url);
      if (!target.ok) {
        throw new Refusal('CALLBACK_REFUSED', { message: `This callback_url is refused. ${target.reason}` });
      }
      return secretBox.encrypt(target.url.href, boxPlaces.callbackUrl(agent.name, actionId));
    },

    /** For who compares two requests; null where there is none, or none that can be read any more. */
    addressOf(data: { agent: string; action_id: string; callback?: string | undefined }): string | null {
      if (data.callback === undefined || config.secretBox === undefined) return null;
      try {
        return config.secretBox.decrypt(data.callback, boxPlaces.callbackUrl(data.agent, data.action_id));
      } catch {
        return null;
      }
    },
  };
}

/** A host as an address has it: without the port that its scheme has anyway. Null where it is none. */
export function callbackHost(text: string): string | null {
  if (!/^(\[[0-9a-f:.]+\]|[^:/@\s*?#\\[\]]+)(:\d{1,5})?$/i.test(text)) return null;
  return URL.parse(`https://${text}`)?.host || null;
}
