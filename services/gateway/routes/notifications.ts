import { AgentName, NotificationFailed, NotificationSent, RecordsAnswer, requests } from '@placet/events';
import { type App, ask, type BusContext } from '@placet/runtime';
import * as z from 'zod';
import type { Auth } from '../auth.ts';
import { errors } from './shared.ts';

const Query = z.strictObject({
  failed: z
    .enum(['', 'true', 'false'])
    .transform((text) => text !== 'false')
    .default(false)
    .describe('Only those that could not be delivered.'),
  agent: AgentName.optional(),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'must be the `next` of a page before')
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const NotificationView = z
  .object({
    at: z.string(),
    status: z.enum(['sent', 'failed']),
    channel: z.string(),
    target: z.string(),
    action_id: z.string(),
    agent: z.string(),
    about: z.string().describe('The type of the event that was told.'),
    attempts: z.number(),
    error: z.string().nullable().describe('Why it could not be delivered, and what to do.'),
    case: z.string().nullable(),
  })
  .meta({ id: 'Notification' });

const Stored = z.union([
  z.object({ type: z.literal('notification.failed'), time: z.string(), data: NotificationFailed }),
  z.object({ type: z.literal('notification.sent'), time: z.string(), data: NotificationSent }),
]);

export function notificationRoutes(app: App, { auth, context }: { auth: Auth; context: BusContext }) {
  app.get(
    '/v1/notifications',
    {
      schema: {
        tags: ['Channels'],
        security: [{ personToken: [] }],
        summary: 'What people and systems were told, and what could not be told, the latest first.',
        querystring: Query,
        response: {
          200: z.object({ notifications: z.array(NotificationView), next: z.string().nullable() }),
          ...errors,
        },
      },
    },
    async (request) => {
      auth.withRole(request, 'admin', 'auditor');
      const { failed, agent, cursor, limit } = request.query;
      const types = failed ? ['notification.failed'] : ['notification.failed', 'notification.sent'];
      const common = {
        newest: true,
        limit,
        ...(agent === undefined ? {} : { agent }),
        ...(cursor === undefined ? {} : { after: Number(cursor) }),
      };
      const pages = await Promise.all(
        types.map((type) => ask(context, requests.records, { ...common, type }, RecordsAnswer)),
      );
      const found = pages.flatMap(({ records }) => records).toSorted((one, other) => other.index - one.index);
      const shown = found.slice(0, limit);
      const hasMore = found.length > limit || pages.some(({ next }) => next !== null);
      return {
        notifications: shown.flatMap(({ body }) => viewOf(body)),
        next: hasMore ? String(shown.at(-1)?.index ?? 0) : null,
      };
    },
  );
}

/** What is on the record under this type and is none is for `GET /v1/audit?flawed=true`. */
function viewOf(body: string): z.infer<typeof NotificationView>[] {
  const parsed = Stored.safeParse(jsonOf(body));
  if (!parsed.success) return [];
  const { type, time, data } = parsed.data;
  const { channel, target, action_id, agent, attempts, about_type: about } = data;
  return [
    {
      at: time,
      status: type === 'notification.failed' ? 'failed' : 'sent',
      channel,
      target,
      action_id,
      agent,
      about,
      attempts,
      error: 'error' in data ? data.error : null,
      case: data.case ?? null,
    },
  ];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
