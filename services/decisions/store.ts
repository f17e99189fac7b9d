import type { PlacetEvent } from '@placet/events';

/** An event of an action, as the stream holds it. */
export type StoredEvent = { seq: number; event: PlacetEvent };

/** What is known of an action: its latest events of each kind, and its votes. */
export type ActionRecord = {
  actionId: string;
  agent: string;
  /** All of the action's events that bear on its decision, and its execution, in the stream's order. */
  events: StoredEvent[];
  /** The place of its decision is taken by a message that we did not write: it can never be decided, nor run. */
  blocked: boolean;
};

export type DueAction = { actionId: string; agent: string };

export type ListQuery = {
  status: 'pending' | 'decided' | 'all';
  /** Keys under which a person is asked; null lists everything. */
  audience: string[] | null;
  before?: number | undefined;
  limit: number;
};

/**
 * The outcomes of all actions and the approvals that are open: a projection of the stream. Events may come twice and
 * in any order; the result is the same.
 */
export interface OutcomeStore {
  apply(events: StoredEvent[]): Promise<void>;
  /** The decision's place is taken: the action is over. */
  block(action: DueAction & { seq: number }): Promise<void>;
  get(actionId: string): Promise<ActionRecord | null>;
  /** Held actions, newest first, each with the sequence that the next page begins before. */
  list(query: ListQuery): Promise<{ records: ActionRecord[]; before: number | null }>;
  /** Undecided actions whose deadline, or whose time to be judged, has passed. */
  due(now: Date, requestedBefore: Date, limit: number): Promise<DueAction[]>;
  /** Actions that wait for people, and all that have no decision. */
  countOpen(): Promise<{ held: number; undecided: number }>;
  /** Which consumer fed it: another one means that it has to be fed again from the beginning. */
  fedBy(): Promise<string | null>;
  setFedBy(consumer: string): Promise<void>;
  close(): Promise<void>;
}
