import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { Jwks } from '@placet/proof';
import { type App, type BusContext, createApp } from '@placet/runtime';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Agents } from './accounts/agents.ts';
import type { Channels } from './accounts/channels.ts';
import type { People } from './accounts/people.ts';
import { createAuth } from './auth.ts';
import type { Checks } from './checks/checks.ts';
import type { Reports } from './checks/reports.ts';
import type { GatewayConfig } from './config.ts';
import { limitRequests } from './limits.ts';
import type { Acts } from './pages/acts.ts';
import { answerProblem, inPages } from './pages/scope.ts';
import type { Policies } from './policies/policies.ts';
import { createTrials } from './policies/trials.ts';
import { accountRoutes } from './routes/account.ts';
import { agentRoutes } from './routes/agents.ts';
import { approvalActRoutes } from './routes/approval-acts.ts';
import { approvalRoutes } from './routes/approvals.ts';
import { auditRoutes } from './routes/audit.ts';
import { caseRoutes } from './routes/cases.ts';
import { channelRoutes } from './routes/channels.ts';
import { checkRoutes } from './routes/checks.ts';
import { mailRoutes } from './routes/mail.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { pageRoutes } from './routes/pages.ts';
import { peopleRoutes } from './routes/people.ts';
import { policyRoutes } from './routes/policies.ts';
import { policySchemaRoutes } from './routes/policy-schema.ts';
import { backtestRoute, evaluateRoute } from './routes/policy-trials.ts';
import { policyVersionRoutes } from './routes/policy-versions.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { signInLinkRoutes } from './routes/sign-in-links.ts';
import { slackRoutes } from './routes/slack.ts';
import { webhookDeliveryRoutes } from './routes/webhook-deliveries.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import type { Links } from './sessions/links.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { SignInLinks } from './sessions/sign-in-links.ts';
import type { SignInMails } from './sessions/sign-in-mails.ts';
import type { SlackCodes } from './sessions/slack-codes.ts';
import type { Interactions } from './slack/interactions.ts';
import type { Webhooks } from './webhooks/webhooks.ts';

/**
 * What helmet says without options. Its plugin is built anew for each request, which costs a third of the request
 * itself. Whether a whole domain speaks TLS alone is for the proxy in front to say.
 */
const securityHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'SAMEORIGIN',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

export type GatewayParts = {
  context: BusContext;
  config: GatewayConfig;
  agents: Agents;
  people: People;
  channels: Channels;
  acts: Acts;
  codes: SlackCodes;
  interactions: Interactions;
  sessions: Sessions;
  links: Links;
  signInLinks: SignInLinks;
  signInMails: SignInMails | null;
  policies: Policies;
  webhooks: Webhooks;
  trusted: () => Jwks;
  checks: Checks;
  reports: Reports;
  unready: () => string[];
};

export async function createGatewayApp(parts: GatewayParts): Promise<App> {
  const { context, config, trusted } = parts;
  const { logger, metrics } = context;
  const { trustProxy } = config;
  const app = createApp({ logger, metrics, unready: parts.unready, trustProxy, problemPage: answerProblem });
  app.addHook('onRequest', (_request, reply, next) => {
    reply.headers(securityHeaders);
    next();
  });
  const { perCredential } = await limitRequests(app, config);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Placet', version: '0.1.0', description: 'Puts people in charge of what AI agents do.' },
      components: {
        securitySchemes: {
          agentKey: { type: 'http', scheme: 'bearer', description: "An agent's key." },
          personToken: { type: 'http', scheme: 'bearer', description: "A person's token." },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: {
      title: 'Placet',
      css: [{ filename: 'placet.css', content: '.swagger-ui .topbar { display: none }' }],
    },
    staticCSP: true,
    // Without TLS in front the page would ask for its own files in vain.
    transformStaticCSP: (policy) => policy.replace('upgrade-insecure-requests;', ''),
  });

  const auth = createAuth(parts.agents, parts.people);
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.addHook('onRequest', auth.agentsOnly);
    routes.addHook('onRequest', perCredential);
    checkRoutes(routes, { auth, ...parts });
  });
  await app.register(async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.addHook('onRequest', auth.peopleOnly);
    routes.addHook('onRequest', perCredential);
    approvalRoutes(routes, { auth, ...parts });
    approvalActRoutes(routes, { auth, ...parts });
    caseRoutes(routes, { auth, ...parts });
    agentRoutes(routes, { auth, ...parts });
    peopleRoutes(routes, { auth, ...parts });
    webhookRoutes(routes, { auth, ...parts });
    webhookDeliveryRoutes(routes, { auth, ...parts });
    auditRoutes(routes, { auth, ...parts });
    channelRoutes(routes, { auth, ...parts });
    notificationRoutes(routes, { auth, ...parts });
    policyVersionRoutes(routes, { auth, ...parts });
    const trials = createTrials(parts.context, parts.policies);
    evaluateRoute(routes, { auth, trials, ...parts });
    await routes.register(async (inner) => {
      const texts = inner.withTypeProvider<ZodTypeProvider>();
      policyRoutes(texts, { auth, ...parts });
      backtestRoute(texts, { auth, trials, ...parts });
    });
  });
  await app.register(async (scope) => slackRoutes(scope.withTypeProvider<ZodTypeProvider>(), parts));
  policySchemaRoutes(app);
  app.get(
    '/.well-known/jwks.json',
    {
      schema: {
        tags: ['Proofs'],
        summary: 'The public keys that check proofs.',
        response: { 200: z.object({ keys: z.array(z.record(z.string(), z.string())) }) },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=60');
      return { keys: trusted().keys.map((key) => ({ ...key })) };
    },
  );
  await inPages(app, (scope) => {
    pageRoutes(scope, parts);
    accountRoutes(scope, parts);
    signInRoutes(scope, parts);
    signInLinkRoutes(scope, parts);
  });
  await inPages(app, (scope) => mailRoutes(scope, parts));
  app.get('/', { schema: { hide: true } }, (request, reply) => {
    if (request.headers.accept?.includes('text/html')) return reply.redirect('/approvals', 303);
    return { name: 'Placet', documentation: '/docs', health: '/health' };
  });
  return app;
}
