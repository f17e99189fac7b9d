import { ActionId, Digest } from '@placet/events';
import * as z from 'zod';

const User = z.object({ id: z.string(), team_id: z.string().optional() });
const Team = z.object({ id: z.string() });

/** A click on a button of a card. */
export const Click = z.object({
  type: z.literal('block_actions'),
  user: User,
  team: Team.nullish(),
  trigger_id: z.string(),
  response_url: z.string().optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
});
export type Click = z.infer<typeof Click>;

/** What a button is about: the approval, and the payload that was seen. */
export const Subject = z.object({ action_id: ActionId, payload_digest: Digest });
export type Subject = z.infer<typeof Subject>;

export function subjectOf(value: string | undefined): Subject | null {
  if (value === undefined) return null;
  try {
    return Subject.parse(JSON.parse(value));
  } catch {
    return null;
  }
}
