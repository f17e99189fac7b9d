import { ApprovalView, requests, WaitingAnswer } from '@placet/events';
import { type App, ask, type BusContext, parseDurationMs, Refusal } from '@placet/runtime';
import * as z from 'zod';
import { audienceFor, audienceOf, voterOf } from '../accounts/audience.ts';
import type { Auth } from '../auth.ts';
import { knownForm } from '../checks/known-form.ts';
import { ActionParams, errors } from './shared.ts';

const agesMaxMs = 90 * 86_400_000;
const Filters = {
  for: z
    .string()
    .regex(/^(me|role:[a-z0-9-]{1,64})$/, 'must be me or role:NAME')
    .optional()
    .describe(
      'Whom they wait for: "me", or "role:NAME". Absent: all that you may see, which for administrators and auditors is everything.',
    ),
  agent: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of an agent')
    .optional(),
  older_than: z
    .string()
    .refine(
      (text) => (parseDurationMs(text) ?? agesMaxMs + 1) <= agesMaxMs,
      'must be a time up to 90d, such as 15m',
    )
    .optional()
    .describe('Only those that were asked for so long ago or longer, such as "15m".'),
};
const List = z.strictObject({
  status: z.enum(['pending', 'decided', 'all']).default('pending'),
  ...Filters,
  cursor: z.string().max(40).optional().describe('The `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Each of them is looked at once, on its way out. */
const Page = z.object({ approvals: z.array(z.custom<ApprovalView>()), before: z.number().nullable() });

const Waiting = z.object({
  count: z.number().describe('Counted up to 10,000.'),
  oldest: z.string().nullable().describe('When the one was asked for that waits longest.'),
});

export function approvalRoutes(app: App, { auth, context }: { auth: Auth; context: BusContext }) {
  const tags = ['Approvals'];
  const security = [{ personToken: [] }];

  app.get(
    '/v1/approvals',
    {
      schema: {
        tags,
        security,
        summary:
          'Approvals, the newest request first. A page goes on where the one before ended, whatever moves.',
        querystring: List,
        response: {
          200: z.object({ approvals: z.array(ApprovalView), next: z.string().nullable() }),
          ...errors,
        },
      },
    },
    async (request) => {
      const { status, cursor, limit, agent, older_than } = request.query;
      const person = auth.personOf(request);
      const page = await ask(
        context,
        requests.approvals,
        {
          status,
          limit,
          by: voterOf(person),
          audience: audienceFor(person, request.query.for),
          votable: request.query.for === 'me',
          ...(agent === undefined ? {} : { agent }),
          ...untilOf(older_than),
          ...(cursor === undefined ? {} : { before: cursorOf(cursor) }),
        },
        Page,
      );
      return { approvals: page.approvals, next: page.before === null ? null : String(page.before) };
    },
  );

  app.get(
    '/v1/approvals/counts',
    {
      schema: {
        tags,
        security,
        summary: 'How many approvals wait: for you, for each of your roles, and of all that you may see.',
        querystring: z.strictObject({ agent: Filters.agent, older_than: Filters.older_than }),
        response: {
          200: z.object({ me: Waiting, all: Waiting, roles: z.record(z.string(), Waiting) }),
          ...errors,
        },
      },
    },
    async (request) => {
      const { agent, older_than } = request.query;
      const person = auth.personOf(request);
      const selection = { ...(agent === undefined ? {} : { agent }), ...untilOf(older_than) };
      const roles = person.roles.slice(0, rolesMax);
      const groups = [
        { name: 'me', audience: audienceFor(person, 'me') },
        { name: 'all', audience: audienceOf(person) },
        ...roles.map((role) => ({ name: role, audience: [`role:${role}`] })),
      ].map((group) => ({ ...group, ...selection }));
      const { waiting } = await ask(context, requests.waiting, { groups }, WaitingAnswer);
      const [me, all, ...byRole] = waiting.map(({ count, oldest }) => ({ count, oldest }));
      if (!me || !all) throw new Refusal('UNAVAILABLE');
      return { me, all, roles: Object.fromEntries(byRole.map((one, n) => [roles[n] ?? '', one])) };
    },
  );

  app.get(
    '/v1/approvals/:id',
    {
      schema: {
        tags,
        security,
        summary: 'One approval, with the earlier decisions on its case.',
        params: ActionParams,
        response: { 200: ApprovalView, ...errors },
      },
    },
    (request) => {
      const person = auth.personOf(request);
      const action_id = knownForm(request.params.id, 'NOT_FOUND');
      const question = { action_id, audience: audienceOf(person), by: voterOf(person) };
      return ask(context, requests.approval, question, ApprovalView);
    },
  );
}

/** One question asks for so many groups. */
const rolesMax = 18;

function untilOf(olderThan: string | undefined): { until?: string } {
  const ms = olderThan === undefined ? null : parseDurationMs(olderThan);
  return ms === null ? {} : { until: new Date(Date.now() - ms).toISOString() };
}

function cursorOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal('VALIDATION_ERROR', {
    details: [{ path: 'cursor', message: 'must be the `next` of a page before' }],
  });
}
