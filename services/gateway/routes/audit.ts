import { ActionId, AgentName, AuditRecordView, RecordsAnswer, requests } from '@placet/events';
import { type App, ask, type BusContext } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import { errors } from './shared.ts';

const Moment = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  // Later ones sort as text before all others.
  .refine((text) => text.length === 24, 'must be of the years 0 to 9999');
const Query = z.strictObject({
  from: Moment.optional().describe('Events at or after this moment.'),
  until: Moment.optional().describe('Events before this moment.'),
  agent: AgentName.optional(),
  action: ActionId.optional(),
  case: z.string().max(200).optional(),
  type: z.string().max(64).optional(),
  flawed: z
    .literal('true')
    .transform(() => true as const)
    .optional()
    .describe('Only what is false: see `flaw`.'),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'must be the `next` of a page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export function auditRoutes(app: App, { auth, context }: { auth: Auth; context: BusContext }) {
  app.get(
    '/v1/audit',
    {
      schema: {
        tags: ['Audit'],
        security: [{ personToken: [] }],
        summary: 'The record, in its order.',
        querystring: Query,
        response: {
          200: z.object({ records: z.array(AuditRecordView), next: z.string().nullable() }),
          ...errors,
        },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      const { cursor, ...query } = request.query;
      const after = cursor === undefined ? {} : { after: Number(cursor) };
      const page = await ask(context, requests.records, { ...query, ...after }, RecordsAnswer);
      return { records: page.records, next: page.next === null ? null : String(page.next) };
    },
  );
}
