import {
  DeliveriesAnswer,
  deliveriesMax,
  requests,
  TestWebhookAnswer,
  WebhookDelivery,
} from '@placet/events';
import { type App, ask, type BusContext } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { errors } from './shared.ts';
import { WebhookParams } from './webhooks.ts';

/** An attempt ends after 15 s. */
const testWithinMs = 20_000;

type Parts = { auth: Auth; webhooks: Webhooks; context: BusContext };

/** What became of what was sent. The notifier knows. */
export function webhookDeliveryRoutes(app: App, { auth, webhooks, context }: Parts) {
  const tags = ['Webhooks'];
  const security = [{ personToken: [] }];

  app.post(
    '/v1/webhooks/:id/test',
    {
      schema: {
        tags,
        security,
        summary: 'Send a signed test event now, and say in words how it went.',
        params: WebhookParams,
        response: { 200: TestWebhookAnswer, ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin');
      const target = webhooks.target(request.params.id);
      return ask(context, requests.testWebhook, { target }, TestWebhookAnswer, testWithinMs);
    },
  );

  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      schema: {
        tags,
        security,
        summary: 'What was sent, and what became of it; the newest first.',
        params: WebhookParams,
        querystring: z.strictObject({
          status: z.literal('failed').optional().describe('Those alone that were given up.'),
          limit: z.coerce.number().int().min(1).max(deliveriesMax).default(50),
        }),
        response: { 200: DeliveriesAnswer, ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      const { status, limit } = request.query;
      const { id } = webhooks.get(request.params.id);
      const question = { webhook: id, failed: status === 'failed', limit };
      return ask(context, requests.deliveries, question, DeliveriesAnswer);
    },
  );

  app.post(
    '/v1/webhooks/:id/deliveries/:delivery/redeliveries',
    {
      schema: {
        tags,
        security,
        summary: 'Send it again, under the same webhook-id.',
        params: WebhookParams.extend({ delivery: z.string().max(64) }),
        response: { 202: WebhookDelivery, ...errors },
      },
    },
    async (request, reply) => {
      auth.withRole(request, 'admin');
      const { id } = webhooks.get(request.params.id);
      const question = { webhook: id, delivery: request.params.delivery };
      const delivery = await ask(context, requests.redeliver, question, WebhookDelivery);
      reply.code(202);
      return delivery;
    },
  );
}
