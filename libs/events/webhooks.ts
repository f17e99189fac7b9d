import * as z from 'zod';
import { BoxedSecret } from './configuration.ts';
import { AgentName, Instant } from './names.ts';

/** What a webhook can be told, and is when it does not choose. */
export const usualWebhookEvents = [
  'approval.needed',
  'approval.reminded',
  'approval.escalated',
  'approval.reassigned',
  'approval.closed',
] as const;
export const webhookEvents = [...usualWebhookEvents, 'action.decided'] as const;
export const WebhookEvent = z.enum(webhookEvents);
export type WebhookEvent = z.infer<typeof WebhookEvent>;

/** Where other systems are told. What may be a secret of the receiver's is in boxes that the master key opens. */
export const Webhook = z.object({
  id: z.string().regex(/^wh_[0-9a-f]{20}$/),
  /** The address without its path, as it may be shown. */
  origin: z.string(),
  url: z.string(),
  description: z.string().optional(),
  /** Of each type, since when: what was before is not sent to who did not want it then. */
  events: z.array(z.object({ type: WebhookEvent, since: Instant })),
  /** Patterns over names; absent: any. */
  agents: z.array(z.string()).optional(),
  actions: z.array(z.string()).optional(),
  /** The current one first. */
  secrets: z.array(BoxedSecret),
  created_at: Instant,
  disabled: z.object({ at: Instant, reason: z.string() }).optional(),
  /** Taken away. Values are never deleted, so that nobody else can. */
  deleted: z.boolean().optional(),
});
export type Webhook = z.infer<typeof Webhook>;

/** Where a box belongs, so that one that was moved does not open. */
export const boxPlaces = {
  webhookUrl: (id: string) => `placet-webhooks.${id}.url`,
  webhookSecret: (id: string) => `placet-webhooks.${id}.secret`,
  callbackSecret: (agent: string) => `placet-agents.${agent}.callback`,
  callbackUrl: (agent: string, actionId: string) => `callback.${agent}.${actionId}`,
};

/** Those that are signed with at a moment. */
export function currentSecrets(secrets: readonly BoxedSecret[], now: Date): BoxedSecret[] {
  return secrets.filter(({ until }) => until === undefined || Date.parse(until) > now.getTime());
}

/** What the notifier has to know to send. Who knows the newest already is told so, and no more. */
export const WebhooksQuestion = z.object({ known: z.string().optional() });
export const WebhookTarget = Webhook.pick({
  id: true,
  origin: true,
  url: true,
  events: true,
  agents: true,
  actions: true,
  secrets: true,
}).extend({ revision: z.number().int() });
export type WebhookTarget = z.infer<typeof WebhookTarget>;
/** An agent that may have itself called back. */
export const CallbackTarget = z.object({
  agent: AgentName,
  hosts: z.array(z.string()),
  secrets: z.array(BoxedSecret),
});
export type CallbackTarget = z.infer<typeof CallbackTarget>;
export const WebhooksAnswer = z.object({
  version: z.string(),
  /** Absent when nothing has changed. */
  targets: z.object({ webhooks: z.array(WebhookTarget), callbacks: z.array(CallbackTarget) }).optional(),
});
export type WebhooksAnswer = z.infer<typeof WebhooksAnswer>;

/** `revision` is the one that the receiver refused: one that was changed meanwhile stays as it is. */
export const DisableWebhookQuestion = z.object({
  id: z.string(),
  revision: z.number().int(),
  reason: z.string().max(500),
});
export const DisableWebhookAnswer = z.object({ disabled: z.boolean() });

export const deliveriesMax = 200;
export const DeliveryStatus = z.enum(['sending', 'waiting', 'sent', 'failed']);
export const WebhookDelivery = z
  .object({
    id: z.string(),
    event: z.string().describe('The id of the event, which is the webhook-id.'),
    type: z.string(),
    action_id: z.string(),
    agent: z.string(),
    created_at: Instant.describe('When it was first to be sent.'),
    status: DeliveryStatus,
    attempts: z.number().int(),
    at: Instant.describe('When this was last changed.'),
    next_at: Instant.optional().describe('When it is tried again.'),
    http_status: z.number().int().optional().describe("The receiver's last answer."),
    error: z.string().optional(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;

export const DeliveriesQuestion = z.object({
  webhook: z.string(),
  failed: z.boolean(),
  limit: z.number().int().min(1).max(deliveriesMax),
});
export const DeliveriesAnswer = z.object({ deliveries: z.array(WebhookDelivery) });

export const RedeliverQuestion = z.object({ webhook: z.string(), delivery: z.string() });

/** The one to be tested, disabled or not. */
export const TestWebhookQuestion = z.object({ target: WebhookTarget });
export const TestWebhookAnswer = z.object({
  delivered: z.boolean(),
  http_status: z.number().int().optional().describe("The receiver's answer, where there was one."),
  message: z.string().describe('What happened, in words.'),
});
export type TestWebhookAnswer = z.infer<typeof TestWebhookAnswer>;
