import { type Person, Role, SlackIdentity } from '@placet/events';
import { type App, misfitOf } from '@placet/runtime';
import * as z from 'zod';
import { shown } from '../accounts/credentials.ts';
import type { People } from '../accounts/people.ts';
import { type Auth, credentialId } from '../auth.ts';
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

export function peopleRoutes(app: App, { auth, people }: { auth: Auth; people: People }) {
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
          slack: z.array(SlackIdentity).max(10).optional(),
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
