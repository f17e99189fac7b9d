import { z } from 'zod';

export const eventBytesMax = 512 * 1024;
const routingKeyCharacters = 32;

const every = {
  routing_key: z.string().length(routingKeyCharacters, {
    error: `Length of 'routing_key' is incorrect (should be ${routingKeyCharacters} characters)`,
  }),
};
const dedupKey = z.string().min(1).max(255);

const trigger = z.object({
  ...every,
  event_action: z.literal('trigger'),
  dedup_key: dedupKey.optional(),
  payload: z.object({
    summary: z.string().min(1).max(1024),
    source: z.string().min(1),
    severity: z.enum(['critical', 'error', 'warning', 'info']),
    timestamp: z.iso.datetime({ offset: true }).optional(),
    component: z.string().optional(),
    group: z.string().optional(),
    class: z.string().optional(),
    custom_details: z.record(z.string(), z.unknown()).optional(),
  }),
  links: z.array(z.object({ href: z.url(), text: z.string().optional() })).optional(),
  images: z
    .array(z.object({ src: z.url(), href: z.url().optional(), alt: z.string().optional() }))
    .optional(),
  client: z.string().optional(),
  client_url: z.url().optional(),
});

const followUp = z.object({
  ...every,
  event_action: z.enum(['acknowledge', 'resolve']),
  dedup_key: dedupKey,
});

const event = z.discriminatedUnion('event_action', [trigger, followUp]);
export type PagerDutyEvent = z.infer<typeof event>;

/** The event, or a sentence for everything that is wrong with it. */
export function checkEvent(given: unknown): { event: PagerDutyEvent } | { errors: string[] } {
  const parsed = event.safeParse(given);
  if (parsed.success) return { event: parsed.data };
  return {
    errors: parsed.error.issues.map(({ path, message }) =>
      path.length === 0 || message.includes('routing_key') ? message : `'${path.join('.')}': ${message}`,
    ),
  };
}
