import type { App } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import type { Policies } from '../policies/policies.ts';
import { createPolicyVersions, noRevision, type PolicyVersion } from '../policies/versions.ts';
import { PolicyView, policyResponse, policyView, revisionOf, ScopeParams, wantsJson } from './policy-view.ts';
import { errors } from './shared.ts';

const Revision = z.coerce.number().int().min(1);
const VersionParams = ScopeParams.extend({ revision: Revision });

const TrustedVersion = z.object({
  revision: z.number(),
  in_force: z.boolean(),
  removed: z.boolean().describe('It took the policy away.'),
  digest: z.string().optional().describe('Of its text; not where it took the policy away.'),
  changed_by: z.string(),
  changed_at: z.string(),
  why: z.string().optional(),
});
const UntrustedVersion = z.object({
  revision: z.number(),
  in_force: z.literal(false),
  cannot_be_trusted: z.string().describe('Placet did not write it. Why, and nothing else of it.'),
});
const PolicyVersions = z
  .object({ scope: z.string(), versions: z.array(z.union([TrustedVersion, UntrustedVersion])) })
  .meta({ id: 'PolicyVersions' });

const Diff = z
  .object({
    from: z.number(),
    to: z.number(),
    diff: z.string().describe('Unified, and empty where the texts are the same.'),
    added: z.number().describe('Lines.'),
    removed: z.number().describe('Lines.'),
  })
  .meta({ id: 'PolicyDiff' });
const DiffQuery = z.strictObject({
  from: z.coerce
    .number()
    .int()
    .min(noRevision)
    .optional()
    .describe(`The revision before \`to\`, unless it is named; ${noRevision} is nothing at all.`),
  to: Revision.optional().describe('The newest, unless it is named.'),
});

const Rollback = z
  .strictObject({
    revision: z.number().int().min(1).describe('Whose text is to be in force again.'),
    why: z.string().min(1).max(500).optional(),
  })
  .meta({ id: 'Rollback' });

export function policyVersionRoutes(app: App, { auth, policies }: { auth: Auth; policies: Policies }) {
  const versions = createPolicyVersions(policies);
  const tags = ['Policies'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/policies/:scope/versions',
    {
      schema: {
        tags,
        security,
        summary: 'The versions of a policy, newest first: who changed it, when and why.',
        params: ScopeParams,
        response: { 200: PolicyVersions, ...errors },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      const { scope } = request.params;
      return { scope, versions: (await versions.list(scope)).map(versionView) };
    },
  );

  app.get(
    '/v1/policies/:scope/versions/:revision',
    {
      schema: {
        tags,
        security,
        summary:
          'One version as YAML, or with who changed it, when and why as JSON (Accept: application/json).',
        params: VersionParams,
        response: {
          200: policyResponse,
          ...errors,
        },
      },
    },
    async (request, reply) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      const entry = await versions.get(request.params.scope, request.params.revision);
      reply.header('etag', `"${entry.revision}"`);
      if (wantsJson(request)) {
        return reply.type('application/json').serializer(JSON.stringify).send(policyView(policies, entry));
      }
      return reply.type('application/yaml; charset=utf-8').send(entry.value.text);
    },
  );

  app.get(
    '/v1/policies/:scope/diff',
    {
      schema: {
        tags,
        security,
        summary: 'What changed from one version to another, as a unified diff, or as JSON.',
        params: ScopeParams,
        querystring: DiffQuery,
        response: {
          200: {
            description: 'The diff.',
            content: { 'text/x-diff': { schema: z.string() }, 'application/json': { schema: Diff } },
          },
          ...errors,
        },
      },
    },
    async (request, reply) => {
      auth.withRole(request, 'admin', 'auditor', 'approver');
      const diff = await versions.diff(request.params.scope, request.query);
      if (wantsJson(request)) {
        return reply.type('application/json').serializer(JSON.stringify).send(diff);
      }
      return reply.type('text/x-diff; charset=utf-8').send(diff.diff);
    },
  );

  app.post(
    '/v1/policies/:scope/rollback',
    {
      schema: {
        tags,
        security,
        summary: 'Put the text of an earlier version in force again, as a new revision.',
        description:
          'What PUT would refuse is refused here too, and the running one stays. `If-Match` is as with PUT.',
        params: ScopeParams,
        body: Rollback,
        response: { 200: PolicyView, ...errors },
      },
    },
    async (request) => {
      const person = auth.withRole(request, 'admin');
      const { revision, why } = request.body;
      const change = { by: person.id, why, revision: revisionOf(request.headers['if-match']) };
      return policyView(policies, await versions.rollback(request.params.scope, revision, change));
    },
  );
}

function versionView({
  version,
  inForce,
}: PolicyVersion): z.infer<typeof PolicyVersions>['versions'][number] {
  const { revision } = version;
  if (version.status === 'forged') {
    return { revision, in_force: false, cannot_be_trusted: version.problem };
  }
  const { removed = false, digest } = version.value;
  return {
    revision,
    in_force: inForce,
    removed,
    ...(removed ? {} : { digest }),
    changed_by: version.by,
    changed_at: version.at,
    ...(version.why === undefined ? {} : { why: version.why }),
  };
}
