import { ActionId, Digest, SlackIdentity } from '@placet/events';
import * as z from 'zod';

const User = z.object({ id: z.string(), team_id: z.string().optional() });
const Who = { user: User, team: z.object({ id: z.string() }).nullish() };

/** A click on a button of a card. */
export const Click = z.object({
  type: z.literal('block_actions'),
  ...Who,
  trigger_id: z.string(),
  response_url: z.string().optional(),
  actions: z
    .array(
      z.object({ action_id: z.string(), value: z.string().optional(), action_ts: z.string().optional() }),
    )
    .min(1),
});
export type Click = z.infer<typeof Click>;

/** A modal that was filled in. */
export const Submission = z.object({
  type: z.literal('view_submission'),
  ...Who,
  view: z.object({
    callback_id: z.string(),
    private_metadata: z.string(),
    state: z.object({
      values: z.record(z.string(), z.record(z.string(), z.object({ value: z.string().nullish() }))),
    }),
  }),
});
export type Submission = z.infer<typeof Submission>;

export const Interaction = z.discriminatedUnion('type', [Click, Submission]);

/**
 * A user id means something within its own workspace alone, which need not be the one where the card stands. Null where
 * Slack does not say whose it is, which is then nobody's.
 */
export function identityOf({ user, team }: Pick<Click, 'user' | 'team'>): SlackIdentity | null {
  const read = SlackIdentity.safeParse({ team: user.team_id ?? team?.id, user: user.id });
  return read.success ? read.data : null;
}

/** What a button is about: the approval, and the payload that was seen. */
export const Subject = z.object({ action_id: ActionId, payload_digest: Digest });
export type Subject = z.infer<typeof Subject>;

/** What a modal keeps of the click that opened it. */
export const Kept = Subject.extend({
  vote: z.enum(['approve', 'reject']).optional(),
  choice: z.string().max(60).optional(),
});

export function textIn<T>(schema: z.ZodType<T>, text: string | undefined): T | null {
  if (text === undefined) return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What was written in a field, by the name of its block. */
export function writtenIn({ view }: Submission): Record<string, string> {
  const fields = Object.entries(view.state.values);
  return Object.fromEntries(
    fields.map(([block, elements]) => [block, Object.values(elements)[0]?.value ?? '']),
  );
}
