import { policySchema, policySchemaText } from '@placet/policy';
import type { App } from '@placet/runtime';
import * as z from 'zod';

/** For editors, which have no credential: what the language is says nothing of anybody's policies. */
export function policySchemaRoutes(app: App) {
  app.get(
    '/policy.schema.json',
    {
      schema: {
        tags: ['Policies'],
        summary: 'The policy language as JSON Schema (draft-07), for editors.',
        response: {
          200: {
            description: 'The schema.',
            content: { 'application/schema+json': { schema: z.record(z.string(), z.unknown()) } },
          },
        },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return reply
        .type('application/schema+json')
        .serializer(() => policySchemaText)
        .send(policySchema);
    },
  );
}
