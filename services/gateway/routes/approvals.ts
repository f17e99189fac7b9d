import {
  ApprovalsAnswer,
  ApprovalView,
  audienceKeysOf,
  CancelAnswer,
  Digest,
  type Person,
  requests,
  Vote,
  VoteAnswer,
  type VoteQuestion,
} from '@placet/events';
import { type App, ask, type BusContext, Refusal } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import { ActionParams, errors, knownForm } from './shared.ts';

const List = z.strictObject({
  status: z.enum(['pending', 'decided', 'all']).default('pending'),
  cursor: z.string().max(40).optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
const VoteBody = z
  .strictObject({
    vote: Vote,
    comment: z.string().min(1).max(4000).optional(),
    payload_digest: Digest.optional().describe('What was seen; refused when it has changed since.'),
  })
  .meta({ id: 'Vote' });

const CancelBody = z
  .strictObject({
    reason: z.string().trim().min(1).max(4000).describe('Told to the agent, and on the record.'),
  })
  .meta({ id: 'Cancel' });

export function approvalRoutes(app: App, { auth, context }: { auth: Auth; context: BusContext }) {
  const tags = ['Approvals'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/approvals',
    {
      schema: {
        tags,
        security,
        summary: 'The approvals that concern you, newest first.',
        querystring: List,
        response: {
          200: z.object({ approvals: z.array(ApprovalView), next: z.string().nullable() }),
          ...errors,
        },
      },
    },
    async (request) => {
      const { status, cursor, limit } = request.query;
      const before = cursor === undefined ? {} : { before: cursorOf(cursor) };
      const question = { status, limit, audience: audienceOf(auth.personOf(request)), ...before };
      const page = await ask(context, requests.approvals, question, ApprovalsAnswer);
      return { approvals: page.approvals, next: page.before === null ? null : String(page.before) };
    },
  );

  app.get(
    '/v1/approvals/:id',
    { schema: { tags, security, params: ActionParams, response: { 200: ApprovalView, ...errors } } },
    (request) => {
      const question = {
        action_id: knownForm(request.params.id, 'NOT_FOUND'),
        audience: audienceOf(auth.personOf(request)),
      };
      return ask(context, requests.approval, question, ApprovalView);
    },
  );

  app.post(
    '/v1/approvals/:id/votes',
    {
      schema: {
        tags,
        security,
        summary: 'Approve or reject. Who votes comes from the token alone.',
        params: ActionParams,
        body: VoteBody,
        response: { 200: VoteAnswer, ...errors },
      },
    },
    (request) => {
      const { id, email, name, roles } = auth.personOf(request);
      const question: VoteQuestion = {
        action_id: knownForm(request.params.id, 'NOT_FOUND'),
        ...request.body,
        channel: 'api',
        voter: { id, email, roles, ...(name === undefined ? {} : { name }) },
      };
      return ask(context, requests.vote, question, VoteAnswer);
    },
  );

  app.post(
    '/v1/approvals/:id/cancel',
    {
      schema: {
        tags,
        security,
        summary: 'End a request that is not decided, as an administrator: it is denied.',
        params: ActionParams,
        body: CancelBody,
        response: { 200: CancelAnswer, ...errors },
      },
    },
    (request) => {
      const { id, email, name } = auth.withRole(request, 'admin');
      const question = {
        action_id: knownForm(request.params.id, 'NOT_FOUND'),
        by: { id, email, ...(name === undefined ? {} : { name }) },
        reason: request.body.reason,
      };
      return ask(context, requests.cancel, question, CancelAnswer);
    },
  );
}

/** Under which names a person can be asked. Administrators and auditors see everything. */
function audienceOf(person: Person): string[] | null {
  if (person.roles.includes('admin') || person.roles.includes('auditor')) return null;
  return audienceKeysOf(person);
}

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal('VALIDATION_ERROR', {
    details: [{ path: 'cursor', message: 'must be the `next` of a page before' }],
  });
}
