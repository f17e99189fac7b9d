import { CaseAnswer, CaseEntry, requests } from '@placet/events';
import { type App, ask, type BusContext, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { audienceOf } from '../accounts/audience.ts';
import type { Auth } from '../auth.ts';
import { errors } from './shared.ts';

const Page = z.strictObject({
  cursor: z.string().max(40).optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(100).default(100).describe('Of actions, not of entries.'),
});

export function caseRoutes(app: App, { auth, context }: { auth: Auth; context: BusContext }) {
  app.get(
    '/v1/cases/:id',
    {
      schema: {
        tags: ['Cases'],
        security: [{ personToken: [] }],
        summary: 'All that happened in a case: requests, votes, decisions, executions and logged actions.',
        params: z.object({ id: z.string().min(1).max(200).describe('The `case` that agents name.') }),
        querystring: Page,
        response: {
          200: z.object({ case: z.string(), timeline: z.array(CaseEntry), next: z.string().nullable() }),
          ...errors,
        },
      },
    },
    async (request) => {
      const { cursor, limit } = request.query;
      const { id } = request.params;
      if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
        throw new Refusal('VALIDATION_ERROR', {
          details: [{ path: 'cursor', message: 'must be the `next` of a page before' }],
        });
      }
      const after = cursor === undefined ? {} : { after: Number(cursor) };
      const question = { case: id, limit, audience: audienceOf(auth.personOf(request)), ...after };
      const page = await ask(context, requests.case, question, CaseAnswer);
      return { case: id, timeline: page.timeline, next: page.after === null ? null : String(page.after) };
    },
  );
}
