import type { PolicyText } from '@placet/events';
import { type App, Refusal, type ValidEntry } from '@placet/runtime';
import * as z from 'zod';
import type { Agents } from '../accounts/agents.ts';
import type { Auth } from '../auth.ts';
import type { Policies } from '../policies/policies.ts';
import { PolicyView, policyResponse, policyView, revisionOf, ScopeParams, wantsJson } from './policy-view.ts';
import { errors } from './shared.ts';

type Parts = { auth: Auth; policies: Policies; agents: Agents };

export function policyRoutes(app: App, { auth, policies, agents }: Parts) {
  const tags = ['Policies'];
  const security = [{ personToken: [] }];
  const view = (entry: ValidEntry<PolicyText>) => policyView(policies, entry);

  // Whatever the sender calls it: a policy is YAML, of which JSON is a part.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, next) => {
    try {
      next(null, new TextDecoder('utf-8', { fatal: true }).decode(body as Buffer));
    } catch {
      next(new Refusal('POLICY_REFUSED', { message: 'The policy is not UTF-8 text.' }));
    }
  });

  app.get(
    '/v1/policies',
    { schema: { tags, security, response: { 200: z.object({ policies: z.array(PolicyView) }), ...errors } } },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      return { policies: policies.list().map(view) };
    },
  );

  app.get(
    '/v1/policies/:scope',
    {
      schema: {
        tags,
        security,
        summary:
          'The policy as YAML, or with who changed it, when and why as JSON (Accept: application/json).',
        params: ScopeParams,
        response: {
          200: policyResponse,
          ...errors,
        },
      },
    },
    async (request, reply) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      const entry = policies.get(request.params.scope);
      reply.header('etag', `"${entry.revision}"`);
      if (wantsJson(request)) {
        return reply.type('application/json').serializer(JSON.stringify).send(view(entry));
      }
      return reply.type('application/yaml; charset=utf-8').send(entry.value.text);
    },
  );

  app.put(
    '/v1/policies/:scope',
    {
      schema: {
        tags,
        security,
        summary: 'Replace the policy of a scope. The body is YAML.',
        description:
          'Send `If-Match` with the ETag that you read, and a change by somebody else is not overwritten.',
        consumes: ['application/yaml'],
        params: ScopeParams,
        body: z.string().describe('The policy as YAML.'),
        querystring: z.strictObject({ why: z.string().min(1).max(500).optional() }),
        response: { 200: PolicyView, ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      const { scope } = request.params;
      // With a slip in the name, the agent that was meant would stay under the default without a word.
      if (scope.startsWith('agent:')) agents.get(scope.slice('agent:'.length));
      const { why } = request.query;
      const revision = revisionOf(request.headers['if-match']);
      return view(await policies.put(scope, request.body, { by: person.id, why, revision }));
    },
  );

  app.delete(
    '/v1/policies/:scope',
    {
      schema: {
        tags,
        security,
        summary:
          'Take the policy of a scope away. The others decide alone then; where none does, people are asked.',
        params: ScopeParams,
        response: { 200: z.object({ scope: z.string(), removed: z.literal(true) }), ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      const { scope } = request.params;
      await policies.remove(scope, person.id);
      return { scope, removed: true as const };
    },
  );
}
