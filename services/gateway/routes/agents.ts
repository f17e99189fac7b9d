import { type Agent, AgentName, unassigned } from '@placet/events';
import type { SecretBox } from '@placet/proof';
import { type App, parseDurationMs } from '@placet/runtime';
import * as z from 'zod';
import type { Agents } from '../accounts/agents.ts';
import { shown } from '../accounts/credentials.ts';
import type { Auth } from '../auth.ts';
import { callbackHost } from '../webhooks/callbacks.ts';
import { CredentialView, durationField, ExpiresAt, errors, optionalBody } from './shared.ts';

const AgentView = z
  .object({
    name: z.string(),
    owner: z.string(),
    created_at: z.string(),
    disabled: z.boolean(),
    keys: z.array(CredentialView),
    callback_hosts: z.array(z.string()).optional().describe('Where it may have itself called back.'),
  })
  .meta({ id: 'Agent' });
/** Mail is sent there, and policies compare it with who votes. The first agent has nobody yet. */
const Email = z.email();
const Owner = z
  .string()
  .max(200)
  .refine(
    (text) => text === unassigned || Email.safeParse(text).success,
    `must be an email, or ${unassigned}`,
  );
const WithKey = z.object({ agent: AgentView, key: z.string().describe('Shown once.') });
const Params = z.object({ name: AgentName });
const KeyParams = Params.extend({ key: z.string().max(40) });
const graceMaxMs = 90 * 86_400_000;
const Grace = z
  .string()
  .refine((text) => {
    const ms = parseDurationMs(text);
    return ms !== null && ms <= graceMaxMs;
  }, 'must be a time of at most 90d, such as 1h')
  .default('0s')
  .describe('How long the old key still works.');

const CallbackHost = z
  .string()
  .max(260)
  .transform((text, context) => {
    const host = callbackHost(text);
    if (host !== null) return host;
    context.addIssue({ code: 'custom', message: 'must be a host, as host, host:port or [ipv6]:port' });
    return z.NEVER;
  });
const CallbackGrace = durationField('7d').prefault('24h');

type Parts = { auth: Auth; agents: Agents; config: { secretBox?: SecretBox | undefined } };

export function agentRoutes(app: App, { auth, agents, config }: Parts) {
  const tags = ['Agents'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/agents',
    { schema: { tags, security, response: { 200: z.object({ agents: z.array(AgentView) }), ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return { agents: agents.list().map(view) };
    },
  );

  app.post(
    '/v1/agents',
    {
      schema: {
        tags,
        security,
        summary: 'A new agent with its first key.',
        body: z.strictObject({ name: AgentName, owner: Owner.optional() }),
        response: { 201: WithKey, ...errors },
      },
    },
    async (request, reply) => {
      const person = auth.withRole(request, 'admin');
      const { name, owner = person.email } = request.body;
      const { agent, key } = await agents.create(name, owner, person.id, new Date());
      reply.code(201);
      return { agent: view(agent), key };
    },
  );

  app.get(
    '/v1/agents/:name',
    { schema: { tags, security, params: Params, response: { 200: AgentView, ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return view(agents.get(request.params.name));
    },
  );

  app.patch(
    '/v1/agents/:name',
    {
      schema: {
        tags,
        security,
        summary: 'Allow an agent to have itself called back.',
        params: Params,
        body: z.strictObject({ callback_hosts: z.array(CallbackHost).max(20) }),
        response: { 200: AgentView, ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      const { callback_hosts: hosts } = request.body;
      return view(await agents.allowCallbacks(request.params.name, hosts, person.id));
    },
  );

  app.post(
    '/v1/agents/:name/callback-secret',
    {
      schema: {
        tags,
        security,
        summary: 'A new secret that its callbacks are signed with; the one before it as well for a while.',
        params: Params,
        body: optionalBody(z.strictObject({ grace: CallbackGrace })),
        response: { 201: z.object({ secret: z.string().describe('Shown once.') }), ...errors },
      },
    },
    async (request, reply) => {
      const person = auth.withRole(request, 'admin');
      const options = { box: config.secretBox, graceMs: request.body.grace };
      const made = await agents.rotateCallbackSecret(request.params.name, options, person.id, new Date());
      reply.code(201);
      return { secret: made.secret };
    },
  );

  app.delete(
    '/v1/agents/:name',
    {
      schema: {
        tags,
        security,
        summary: 'Disable an agent for good. Its name is never used again.',
        params: Params,
        response: { 200: AgentView, ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      return view(await agents.disable(request.params.name, person.id));
    },
  );

  app.post(
    '/v1/agents/:name/keys',
    {
      schema: {
        tags,
        security,
        summary: 'Another key.',
        params: Params,
        body: optionalBody(z.strictObject({ expires_at: ExpiresAt.optional() })),
        response: { 201: WithKey.extend({ id: z.string() }), ...errors },
      },
    },
    async (request, reply) => {
      const person = auth.withRole(request, 'admin');
      const made = await agents.addKey(request.params.name, person.id, new Date(), request.body.expires_at);
      reply.code(201);
      return { ...made, agent: view(made.agent) };
    },
  );

  app.post(
    '/v1/agents/:name/keys/:key/rotation',
    {
      schema: {
        tags,
        security,
        summary: 'A new key in place of this one.',
        params: KeyParams,
        body: optionalBody(z.strictObject({ grace: Grace })),
        response: { 201: WithKey.extend({ id: z.string() }), ...errors },
      },
    },
    async (request, reply) => {
      const person = auth.withRole(request, 'admin');
      const { name, key } = request.params;
      const graceMs = parseDurationMs(request.body.grace) ?? 0;
      const made = await agents.rotateKey(name, key, person.id, new Date(), graceMs);
      reply.code(201);
      return { ...made, agent: view(made.agent) };
    },
  );

  app.delete(
    '/v1/agents/:name/keys/:key',
    {
      schema: {
        tags,
        security,
        summary: 'Revoke a key.',
        params: KeyParams,
        response: { 200: AgentView, ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      const { name, key } = request.params;
      return view(await agents.revokeKey(name, key, person.id, new Date()));
    },
  );
}

function view({ callback_secrets: _, ...agent }: Agent) {
  return { ...agent, keys: agent.keys.map(shown) };
}
