import { type Person, Role, SlackIdentity } from '@placet/events';
import { type App, misfitOf } from '@placet/runtime';
import * as z from 'zod';
import { shown } from '../accounts/credentials.ts';
import { type People, slackIdentitiesMax } from '../accounts/people.ts';
import { type Auth, credentialId } from '../auth.ts';
import type { GatewayConfig } from '../config.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { SignInLinks } from '../sessions/sign-in-links.ts';
import { CredentialView, ExpiresAt, errors, optionalBody } from './shared.ts';

const PersonView = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string().optional(),
    roles: z.array(z.string()),
    slack: z.array(SlackIdentity).optional().describe('Who this is in Slack.'),
    created_at: z.string(),
    disabled: z.boolean(),
    tokens: z.array(CredentialView),
  })
  .meta({ id: 'Person' });
const WithToken = z.object({ person: PersonView, token: z.string().describe('Shown once.') });
const Params = z.object({ id: z.string().max(40) });
const Roles = z.array(Role).max(50);

const SessionsView = z.object({
  sessions: z.array(
    z.object({ id: z.string(), created_at: z.string(), expires_at: z.string(), browser: z.string() }),
  ),
});
const signInMs = 3_600_000;

type Parts = {
  auth: Auth;
  people: People;
  sessions: Sessions;
  signInLinks: SignInLinks;
  config: Pick<GatewayConfig, 'publicUrl'>;
};

export function peopleRoutes(app: App, parts: Parts) {
  const { auth, people } = parts;
  sessionRoutes(app, parts);
  const tags = ['People'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/people',
    { schema: { tags, security, response: { 200: z.object({ people: z.array(PersonView) }), ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return { people: people.list().map(view) };
    },
  );

  app.get(
    '/v1/people/me',
    { schema: { tags, security, response: { 200: PersonView, ...errors } } },
    async (request) => view(auth.personOf(request)),
  );

  app.post(
    '/v1/people',
    {
      schema: {
        tags,
        security,
        summary: 'A new person with a first token.',
        body: z.strictObject({
          email: z.email().max(200),
          name: z.string().min(1).max(200).optional(),
          roles: Roles.default(['approver']),
        }),
        response: { 201: WithToken, ...errors },
      },
    },
    async (request, reply) => {
      const admin = auth.withRole(request, 'admin');
      const { person, token } = await people.create(
        request.body,
        admin.id,
        new Date(),
        people.expiryOf(admin.id, credentialId(request)),
      );
      reply.code(201);
      return { person: view(person), token };
    },
  );

  app.get(
    '/v1/people/:id',
    { schema: { tags, security, params: Params, response: { 200: PersonView, ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      return view(people.get(request.params.id));
    },
  );

  app.patch(
    '/v1/people/:id',
    {
      schema: {
        tags,
        security,
        summary: 'Change roles or who it is in Slack, disable or enable.',
        params: Params,
        body: z.strictObject({
          roles: Roles.optional(),
          slack: z.array(SlackIdentity).max(slackIdentitiesMax).optional(),
          disabled: z.boolean().optional(),
        }),
        response: { 200: PersonView, ...errors },
      },
    },
    async (request) => {
      const admin = auth.withRole(request, 'admin');
      return view(await people.update(request.params.id, request.body, admin.id));
    },
  );

  app.post(
    '/v1/people/:id/tokens',
    {
      schema: {
        tags,
        security,
        summary: 'Another token, for yourself or, as an administrator, for anyone.',
        params: Params,
        body: optionalBody(z.strictObject({ expires_at: ExpiresAt.optional() })),
        response: { 201: WithToken.extend({ id: z.string() }), ...errors },
      },
    },
    async (request, reply) => {
      const by = selfOrAdmin(auth, request, request.params.id);
      const expiresAt = withinOwn(request.body.expires_at, people.expiryOf(by, credentialId(request)));
      const made = await people.addToken(request.params.id, by, new Date(), expiresAt);
      reply.code(201);
      return { ...made, person: view(made.person) };
    },
  );

  app.delete(
    '/v1/people/:id/tokens/:token',
    {
      schema: {
        tags,
        security,
        summary: 'Revoke a token.',
        params: Params.extend({ token: z.string().max(40) }),
        response: { 200: PersonView, ...errors },
      },
    },
    async (request) => {
      const { id, token } = request.params;
      const by = selfOrAdmin(auth, request, id);
      return view(await people.revokeToken(id, token, by, new Date()));
    },
  );
}

/** Where somebody is signed in to the pages, and a link to sign in by. */
function sessionRoutes(app: App, { auth, people, sessions, signInLinks, config }: Parts) {
  const common = { tags: ['People'], security: [{ personToken: [] }], params: Params };

  app.post(
    '/v1/people/:id/sign-in-links',
    {
      schema: {
        ...common,
        summary: 'A link by which a person signs in to the pages, once and within an hour.',
        response: { 201: z.object({ url: z.string(), expires_at: z.string() }), ...errors },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const by = { person: selfOrAdmin(auth, request, id), id: credentialId(request) };
      const base = config.publicUrl ?? `${request.protocol}://${request.host}`;
      reply.code(201);
      return signInLinks.make(id, { base, lifeMs: signInMs, by });
    },
  );

  app.get(
    '/v1/people/:id/sessions',
    {
      schema: {
        ...common,
        summary: 'Where a person is signed in.',
        response: { 200: SessionsView, ...errors },
      },
    },
    async (request) => {
      const { id } = request.params;
      selfOrAdmin(auth, request, id);
      return { sessions: await sessions.open(people.get(id).id, new Date()) };
    },
  );

  app.delete(
    '/v1/people/:id/sessions',
    {
      schema: {
        ...common,
        summary: 'Sign a person out everywhere.',
        response: { 200: z.object({ ended: z.number() }), ...errors },
      },
    },
    async (request) => {
      const { id } = request.params;
      selfOrAdmin(auth, request, id);
      return { ended: await sessions.endAll(people.get(id).id, new Date()) };
    },
  );
}

function selfOrAdmin(auth: Auth, request: Parameters<Auth['personOf']>[0], id: string): string {
  const person = auth.personOf(request);
  return person.id === id ? id : auth.withRole(request, 'admin').id;
}

/** A token that ends makes none that outlives it. */
function withinOwn(wanted: string | undefined, own: string | undefined): string | undefined {
  if (own === undefined || (wanted !== undefined && Date.parse(wanted) <= Date.parse(own))) return wanted;
  if (wanted === undefined) return own;
  const message = `It cannot end after the token that asks for it, which ends at ${own}.`;
  throw misfitOf([{ path: 'expires_at', message }]);
}

function view(person: Person) {
  return { ...person, tokens: person.tokens.map(shown) };
}
