import { contextOf, type EventData } from '@placet/events';

/** What a policy judges: a request, and when. */
export type ActionFacts = {
  action: string;
  payload: unknown;
  agent: { name: string; owner: string };
  /** What the agent told beside it: tool, server, case and the like. */
  context: Readonly<Record<string, unknown>>;
  now: Date;
};

/** What a request is judged by. */
export const requestFacts = (data: EventData<'action.requested'>, now: Date): ActionFacts => ({
  action: data.action_name,
  payload: data.payload,
  agent: { name: data.agent, owner: data.owner },
  context: contextOf(data),
  now,
});
