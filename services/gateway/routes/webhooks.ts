import { usualWebhookEvents, type Webhook, WebhookEvent } from '@placet/events';
import { isWebhookSecret } from '@placet/proof';
import { type App, defined } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { durationField, errors, optionalBody } from './shared.ts';

const SecretView = z.object({
  made_at: z.string(),
  until: z.string().optional().describe('Until then it is signed with as well.'),
});
const WebhookView = z
  .object({
    id: z.string(),
    origin: z.string().describe('The address without its path, which is never shown again.'),
    description: z.string().optional(),
    events: z.array(z.string()),
    agents: z.array(z.string()).optional(),
    actions: z.array(z.string()).optional(),
    disabled: z.boolean(),
    disabled_at: z.string().optional(),
    disabled_reason: z.string().optional(),
    created_at: z.string(),
    secrets: z.array(SecretView),
  })
  .meta({ id: 'Webhook' });
const WithSecret = z.object({ webhook: WebhookView, secret: z.string().describe('Shown once.') });

const isFirst = (value: unknown, i: number, all: unknown[]) => all.indexOf(value) === i;
const Patterns = z.array(z.string().min(1).max(200)).min(1).max(20);
const Url = z.string().min(1).max(2000);
const Description = z.string().min(1).max(200);
const Events = z
  .array(WebhookEvent)
  .min(1)
  .transform((types) => types.filter(isFirst));
const Secret = z.string().refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in base64');
export const WebhookParams = z.object({ id: z.string().max(40) });
const day = '24h';
const Grace = durationField('7d')
  .prefault(day)
  .describe('How long the secret before it is signed with as well.');

export function webhookRoutes(app: App, { auth, webhooks }: { auth: Auth; webhooks: Webhooks }) {
  const tags = ['Webhooks'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/webhooks',
    {
      schema: { tags, security, response: { 200: z.object({ webhooks: z.array(WebhookView) }), ...errors } },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return { webhooks: webhooks.list().map(view) };
    },
  );

  app.post(
    '/v1/webhooks',
    {
      schema: {
        tags,
        security,
        summary: 'Have another system told, by signed webhooks.',
        body: z.strictObject({
          url: Url,
          description: Description.optional(),
          events: Events.default([...usualWebhookEvents]),
          agents: Patterns.optional().describe('Patterns over the names of agents; without it, all.'),
          actions: Patterns.optional().describe('Patterns over the names of actions; without it, all.'),
          secret: Secret.optional().describe('Without it, a new one is made.'),
        }),
        response: { 201: WithSecret, ...errors },
      },
    },
    async (request, reply) => {
      const admin = auth.withRole(request, 'admin');
      const { secret, ...fields } = request.body;
      const made = await webhooks.create(fields, secret, admin.id, new Date());
      reply.code(201);
      return { webhook: view(made.webhook), secret: made.secret };
    },
  );

  app.get(
    '/v1/webhooks/:id',
    { schema: { tags, security, params: WebhookParams, response: { 200: WebhookView, ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return view(webhooks.get(request.params.id));
    },
  );

  app.patch(
    '/v1/webhooks/:id',
    {
      schema: {
        tags,
        security,
        summary: 'Change where it goes and what it is told, disable or enable it. null takes a field away.',
        params: WebhookParams,
        body: z.strictObject({
          url: Url.optional(),
          description: Description.nullish(),
          events: Events.optional(),
          agents: Patterns.nullish(),
          actions: Patterns.nullish(),
          disabled: z.boolean().optional(),
        }),
        response: { 200: WebhookView, ...errors },
      },
    },
    async (request) => {
      const admin = auth.withRole(request, 'admin');
      return view(await webhooks.update(request.params.id, request.body, admin.id, new Date()));
    },
  );

  app.delete(
    '/v1/webhooks/:id',
    { schema: { tags, security, params: WebhookParams, response: { 204: z.null(), ...errors } } },
    async (request, reply) => {
      const admin = auth.withRole(request, 'admin');
      await webhooks.remove(request.params.id, admin.id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/webhooks/:id/secrets',
    {
      schema: {
        tags,
        security,
        summary: 'A new secret. With the one before it, deliveries are signed as well for a while.',
        params: WebhookParams,
        body: optionalBody(z.strictObject({ secret: Secret.optional(), grace: Grace })),
        response: { 201: WithSecret, ...errors },
      },
    },
    async (request, reply) => {
      const admin = auth.withRole(request, 'admin');
      const { secret: given, grace: graceMs } = request.body;
      const made = await webhooks.rotate(request.params.id, { given, graceMs }, admin.id, new Date());
      reply.code(201);
      return { webhook: view(made.webhook), secret: made.secret };
    },
  );
}

function view(webhook: Webhook): z.infer<typeof WebhookView> {
  const { id, origin, description, events, agents, actions, disabled, created_at, secrets } = webhook;
  return {
    id,
    origin,
    events: events.map(({ type }) => type),
    disabled: disabled !== undefined,
    created_at,
    secrets: secrets.map(({ made_at, until }) => ({ made_at, ...defined({ until }) })),
    ...defined({
      description,
      agents,
      actions,
      disabled_at: disabled?.at,
      disabled_reason: disabled?.reason,
    }),
  };
}
