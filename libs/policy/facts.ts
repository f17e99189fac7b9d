import { contextOf, type EventData } from '@placet/events';
import type { ActionFacts } from './types.ts';

/** What a request is judged by. */
export const requestFacts = (data: EventData<'action.requested'>, now: Date): ActionFacts => ({
  action: data.action_name,
  payload: data.payload,
  agent: { name: data.agent, owner: data.owner },
  context: contextOf(data),
  now,
});
