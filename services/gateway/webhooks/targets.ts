import { DisableWebhookQuestion, requests, type WebhooksAnswer, WebhooksQuestion } from '@placet/events';
import { sha256Hex } from '@placet/proof';
import { answer, Refusal, type ServiceParts } from '@placet/runtime';
import type { Agents } from '../accounts/agents.ts';
import type { Webhooks } from './webhooks.ts';

/** Tells the notifier, which follows no configuration, where it sends to, and takes from it what is wanted no more. */
export function answerWebhooks(
  parts: ServiceParts,
  { webhooks, agents }: { webhooks: Webhooks; agents: Agents },
): void {
  let current: WebhooksAnswer | undefined;
  const forget = () => {
    current = undefined;
  };
  webhooks.onChange(forget);
  agents.onChange(forget);

  answer(parts, requests.webhooks, WebhooksQuestion, async ({ known }) => {
    current ??= answerOf(webhooks, agents);
    return known === current.version ? { version: known } : current;
  });
  answer(parts, requests.disableWebhook, DisableWebhookQuestion, async ({ id, revision, reason }) => {
    try {
      return { disabled: await webhooks.disable(id, revision, reason, new Date()) };
    } catch (error) {
      // Somebody changed it at the same moment: what was refused is not what it is now.
      if (error instanceof Refusal && error.code === 'REVISION_CONFLICT') return { disabled: false };
      throw error;
    }
  });
}

function answerOf(webhooks: Webhooks, agents: Agents): WebhooksAnswer {
  const targets = {
    webhooks: webhooks.targets().toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    callbacks: agents.callbacks().toSorted((a, b) => (a.agent < b.agent ? -1 : 1)),
  };
  // Of the contents, so that every gateway says the same of the same.
  return { version: sha256Hex(JSON.stringify(targets)), targets };
}
