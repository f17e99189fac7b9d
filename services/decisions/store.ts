import { type EventType, entryOf, type PlacetEvent } from '@placet/events';

/** An event of an action, as the stream holds it. */
export type StoredEvent = { seq: number; event: PlacetEvent };

/** A message among an action's own that we did not write. `isDecision`: it has taken the place of the decision. */
export type ForgedMessage = { seq: number; forged: DueAction & { isDecision: boolean }; at: Date };

/**
 * How far the stream has been read. A stream is told from one made anew by when it was made; the sequences of that one
 * come after those of the one before it, so that what is read later is later.
 */
export type Position = { stream: string; seq: number };

/** What is known of an action. */
export type ActionRecord = {
  actionId: string;
  agent: string;
  /** All of the action's events that are kept, in the stream's order. */
  events: StoredEvent[];
  /** The place of its decision is taken by a message that we did not write: it can never be decided, nor run. */
  blocked: boolean;
};

export type DueAction = { actionId: string; agent: string };
/** `seq` is of the event that somebody still has to act upon. */
export type OwedAction = DueAction & { seq: number };

/** Which of the actions that were held. */
export type Selection = {
  status: 'pending' | 'decided' | 'all';
  /** Keys under which a person is asked now; null selects everything. */
  audience: string[] | null;
  agent?: string | undefined;
  /** Only those that were requested at this time or before. */
  until?: Date | undefined;
};

/** The cursor is the sequence of an action's request, which stays what it is whatever becomes of the action. */
export type ListQuery = Selection & { before?: number | undefined; limit: number };

/** Whoever stored an event acts upon it within milliseconds; only where it died, somebody else has to. */
export const owedAfterMs = 1000;

/**
 * The outcomes of all actions and the approvals that are open: a projection of the stream. Events may come twice and
 * in any order; the result is the same.
 */
export interface OutcomeStore {
  /**
   * Stores what was read of the stream, and then that it was read up to `position`: a crash in between repeats it. A
   * position never goes back: that of another stream counts on.
   *
   * A vote owes a look at whether it decides, a decision of a held action its closing, and a forged message its
   * denial; an `approval.closed` settles what came before it. It falls due `owedAfterMs` after its event.
   *
   * Whom an open approval asks, and when the clock has to look at it, is what the last event says that says so: the
   * need, an edit, a reminder, an escalation or a reassignment.
   */
  apply(messages: (StoredEvent | ForgedMessage)[], position: Position): Promise<void>;
  position(): Promise<Position | null>;
  /** One of several instances reads the stream for all: whether it is `holder`, from `now` on for the given time. */
  lead(holder: string, now: Date, forMs: number): Promise<boolean>;
  /** The decision's place is taken: the action is over. */
  block(action: OwedAction): Promise<void>;
  get(actionId: string): Promise<ActionRecord | null>;
  /** Held actions, the newest request first, and where the next page goes on. */
  list(query: ListQuery): Promise<{ records: ActionRecord[]; before: number | null }>;
  /** How many there are, counted up to `max`, and when the oldest was requested. */
  count(selection: Selection, max: number): Promise<{ count: number; oldest: Date | null }>;
  /**
   * The actions of a case, oldest first: those that were requested and those that were logged. `after` is the sequence
   * of an action's first event; of the next page, that of the last one of this.
   */
  ofCase(
    name: string,
    page: { after?: number | undefined; limit: number },
  ): Promise<{ records: ActionRecord[]; after: number | null }>;
  /** The newest of them, newest first. */
  lastOfCase(name: string, limit: number): Promise<ActionRecord[]>;
  /** The newest that people were asked about: nobody hides those behind others. */
  lastHeldOfCase(name: string, limit: number): Promise<ActionRecord[]>;
  /** Undecided actions that the clock has to look at: a step or a deadline is due, or the time to be judged has passed. */
  due(now: Date, requestedBefore: Date, limit: number): Promise<DueAction[]>;
  /** What is still to be done of events that are stored, oldest first. */
  owed(now: Date, limit: number): Promise<OwedAction[]>;
  /** It is done, up to that event. */
  settle(action: OwedAction): Promise<void>;
  /** Actions that wait for people, and all that have no decision. */
  countOpen(): Promise<{ held: number; undecided: number }>;
  close(): Promise<void>;
}

export function isAhead(next: Position, known: Position | null): boolean {
  return known === null || known.seq < next.seq;
}

export const keptNotes: readonly EventType[] = ['action.executed', 'action.logged', 'approval.commented'];

/** What bears on the decision, and what people see beside it. */
export function isKept(event: PlacetEvent): boolean {
  // Most of what is logged belongs to no case, and is looked for on the record.
  if (event.type === 'action.logged') return event.data.case !== undefined;
  return entryOf(event.type).root === 'act' || keptNotes.includes(event.type);
}
