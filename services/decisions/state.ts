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
      done: Done;
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
  done: Done;
};

type ByPeople = EventOf<'approval.voted' | 'approval.edited' | 'approval.reassigned'>;
/**
 * What each request of a person has come to, whatever happened since: an answer that got lost is asked for again, and what
 * was done must not be refused then.
 */
type Done = ReadonlyMap<string, ByPeople>;

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
        done: state.status === 'held' ? state.done : new Map(),
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
            done: new Map(),
          };
    default:
      return state.status === 'held' ? moved(state, event) : state;
  }
}

function payloadOf(state: ActionState): unknown {
  return state.status === 'requested' ? state.request.data.payload : undefined;
}

function moved(state: Held, event: PlacetEvent): Held {
  const byPeople = isByPeople(event) ? event : null;
  return {
    ...state,
    standing: proceed(state.standing, event),
    payload: event.type === 'approval.edited' ? event.data.payload : state.payload,
    numbers: { ...state.numbers, [event.type]: (state.numbers[event.type] ?? 0) + 1 },
    acts: byPeople ? acted(state.acts, personIn(byPeople)) : state.acts,
    done: byPeople ? new Map([...state.done, [byPeople.data.request, byPeople]]) : state.done,
  };
}

const isByPeople = (event: PlacetEvent): event is ByPeople =>
  event.type === 'approval.voted' || event.type === 'approval.edited' || event.type === 'approval.reassigned';

function acted(acts: Held['acts'], person: string): Held['acts'] {
  return new Map([...acts, [person, (acts.get(person) ?? 0) + 1]]);
}

function personIn(event: ByPeople): string {
  switch (event.type) {
    case 'approval.voted':
      return event.data.voter.id;
    case 'approval.edited':
      return event.data.editor.id;
    case 'approval.reassigned':
      return event.data.by.id;
    default:
      return event satisfies never;
  }
}

export function stateOf(events: PlacetEvent[]): ActionState {
  return events.reduce(evolve, { status: 'unknown' });
}
