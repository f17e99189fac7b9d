import {
  type EditQuestion,
  type EventOf,
  opened,
  type PlacetEvent,
  proceed,
  type ReassignQuestion,
  type Standing,
  type VoteQuestion,
  type Voter,
} from '@placet/events';

/**
 * The life of an action as this service sees it. Pure: the clock and the facts are arguments, and events come out.
 */
export type ActionState =
  | { status: 'unknown' }
  | { status: 'requested'; request: EventOf<'action.requested'> }
  | Held
  | {
      status: 'decided';
      decided: EventOf<'action.decided'>;
      /** Null where nobody was asked. */
      standing: Standing | null;
    };

export type Held = {
  status: 'held';
  standing: Standing;
  /** The payload as it is now, with what is hidden from people; undefined where the stream has let go of it. */
  payload: unknown;
  /** How many events of each numbered type there are, over all revisions. */
  numbers: Readonly<Partial<Record<PlacetEvent['type'], number>>>;
  /** How often each person has done something. */
  acts: ReadonlyMap<string, number>;
};

export type Command =
  | { kind: 'vote'; question: VoteQuestion; request: string; now: Date }
  | { kind: 'edit'; question: EditQuestion; request: string; now: Date; sweepAfterMs: number }
  | { kind: 'reassign'; question: ReassignQuestion; request: string; now: Date }
  | { kind: 'withdraw' }
  | { kind: 'cancel'; by: Voter; reason: string }
  /** The clock: a step, a deadline, or a payload that has waited too long for its verdict. */
  | { kind: 'look'; now: Date; sweepAfterMs: number }
  /** The action's history holds what we did not write. */
  | { kind: 'forged' };

export function evolve(state: ActionState, event: PlacetEvent): ActionState {
  switch (event.type) {
    case 'action.requested':
      return state.status === 'unknown' ? { status: 'requested', request: event } : state;
    case 'action.decided':
      return {
        status: 'decided',
        decided: event,
        standing: state.status === 'held' ? state.standing : null,
      };
    case 'approval.needed':
      if (state.status === 'decided') return state;
      return state.status === 'held'
        ? { ...state, standing: proceed(state.standing, event) }
        : {
            status: 'held',
            standing: opened(event),
            payload: payloadOf(state),
            numbers: {},
            acts: new Map(),
          };
    default:
      return state.status === 'held' ? moved(state, event) : state;
  }
}

function payloadOf(state: ActionState): unknown {
  return state.status === 'requested' ? state.request.data.payload : undefined;
}

function moved(state: Held, event: PlacetEvent): Held {
  return {
    ...state,
    standing: proceed(state.standing, event),
    payload: event.type === 'approval.edited' ? event.data.payload : state.payload,
    numbers: { ...state.numbers, [event.type]: (state.numbers[event.type] ?? 0) + 1 },
    acts: acted(state.acts, event),
  };
}

function acted(acts: Held['acts'], event: PlacetEvent): Held['acts'] {
  const person = personIn(event);
  return person === null ? acts : new Map([...acts, [person, (acts.get(person) ?? 0) + 1]]);
}

function personIn(event: PlacetEvent): string | null {
  switch (event.type) {
    case 'approval.voted':
      return event.data.voter.id;
    case 'approval.edited':
      return event.data.editor.id;
    case 'approval.reassigned':
      return event.data.by.id;
    default:
      return null;
  }
}

export function stateOf(events: PlacetEvent[]): ActionState {
  return events.reduce(evolve, { status: 'unknown' });
}
