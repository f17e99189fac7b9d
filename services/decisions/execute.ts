import { type Approver, type EventOf, makeEvent } from '@placet/events';
import type { Signer } from '@placet/proof';
import {
  type Bus,
  type BusContext,
  causeId,
  type History,
  newId,
  Refusal,
  readHistory,
  readHistoryFromLeader,
  sleep,
  Unavailable,
} from '@placet/runtime';
import { decide } from './approval.ts';
import { eventOf, type OwnEvent } from './drafted.ts';
import type { Ruling } from './ending.ts';
import { type ActionState, type Command, evolve, stateOf } from './state.ts';

const attemptsMax = 20;
/** What is owed of a history comes one by one. */
const stepsMax = 200;

/** `fresh` reads from the leader at once: for who knows of an event that a node that is behind may not have. */
export type Execute = (
  agent: string,
  actionId: string,
  command: Command,
  how?: { fresh: boolean },
) => Promise<ActionState>;

/**
 * Carries a command out: reads the action, decides, stores at the version that was read, and begins again when
 * somebody was faster. Ends when nothing is left to be done.
 */
export function createExecute(context: BusContext, bus: Bus, signer: Signer): Execute {
  return async (agent, actionId, asked, { fresh: startFresh } = { fresh: false }) => {
    const read = startFresh ? readHistoryFromLeader : readHistory;
    let history = await read(context, agent, actionId);
    let fresh = startFresh;
    let lost = 0;
    for (let step = 0; step < stepsMax && lost < attemptsMax; step++) {
      // Whoever had to wait is judged by the time that it is then.
      const now = new Date();
      let state = stateOf(history.events.map(({ event }) => event));
      if (isBlocked(history)) return blocked(asked, state);
      const command: Command =
        history.forged.length > 0 ? { kind: 'forged' } : 'now' in asked ? { ...asked, now } : asked;
      const ruling = decide(command, state);
      if (ruling.ruling === 'settled' && (fresh || state.status !== 'unknown')) {
        return state.status === 'unknown' ? blocked(asked, state) : state;
      }
      if (ruling.ruling === 'refused' && fresh) throw refusalOf(ruling, state);
      if (ruling.ruling !== 'append') {
        // Any node may have answered; what is refused for is looked up at the leader first.
        history = await readHistoryFromLeader(context, agent, actionId);
        fresh = true;
        continue;
      }
      const event = eventOf(ruling.draft, state, { signer, now });
      const stored = await append(event, history.version);
      if (stored.status === 'stored') {
        const { forged } = history;
        state = evolve(state, event);
        history = { version: stored.seq, events: [...history.events, { seq: stored.seq, event }], forged };
        if (event.type === 'action.decided' && event.data.held) tellClosed(event, state);
        continue;
      }
      await sleep(Math.random() * 5 * lost++);
      history = await readHistoryFromLeader(context, agent, actionId);
      fresh = true;
    }
    throw new Unavailable(`the action ${actionId} is too busy`);
  };

  /** Whoever decided tells it at once. Where that fails, the store still owes it. */
  function tellClosed(decided: EventOf<'action.decided'>, state: ActionState): void {
    closeApproval(bus, decided, informedOf(state)).catch((error: unknown) =>
      context.logger.warn({ err: error }, 'the end of an approval could not be told; the sweep does'),
    );
  }

  function append(event: OwnEvent, version: number) {
    return event.type === 'action.decided'
      ? bus.append(event, { version })
      : bus.append(event, { version, number: event.data.number });
  }
}

/** Tells channels how an approval ended; once a decision, however often it is told. */
export async function closeApproval(
  bus: Bus,
  decided: EventOf<'action.decided'>,
  inform: Approver[] | undefined,
): Promise<void> {
  const {
    action_id,
    agent,
    action_name,
    decision,
    cause,
    reason,
    deciders,
    proof,
    choice,
    case: of,
  } = decided.data;
  const told = {
    ...{ action_id, agent, action_name, decision, cause, reason, deciders, proof },
    ...(choice === undefined ? {} : { choice }),
    ...(inform === undefined ? {} : { inform }),
    ...(of === undefined ? {} : { case: of }),
  };
  const event = makeEvent('approval.closed', {
    service: 'decisions',
    id: newId(),
    now: new Date(),
    data: { ...told, decision_event: decided.id },
  });
  await bus.note(event, causeId('closed', decided.id));
}

export function informedOf(state: ActionState): Approver[] | undefined {
  return state.status === 'decided' ? state.standing?.needed.data.inform : undefined;
}

/** The one place of the decision is taken by what we did not write: nothing can be decided, and nobody is allowed. */
export function isBlocked(history: History): boolean {
  return history.forged.some(({ subject }) => subject.endsWith('.action.decided'));
}

/** The clock has nothing to do there; a person or an agent is told that nothing came of the question. */
function blocked(asked: Command, state: ActionState): ActionState {
  if (asked.kind === 'look' || asked.kind === 'forged') return state;
  throw new Refusal('NOT_ALLOWED', {
    message: 'Placet did not write what stands in the history of this action, so it stays denied.',
  });
}

function refusalOf(
  { code, message, details }: Extract<Ruling, { ruling: 'refused' }>,
  state: ActionState,
): Refusal {
  if (state.status !== 'decided' || code !== 'ALREADY_DECIDED') {
    return new Refusal(code, {
      ...(message === undefined ? {} : { message }),
      ...(details === undefined ? {} : { details }),
    });
  }
  const { decision, reason, deciders } = state.decided.data;
  return new Refusal(code, {
    message: `The action was ${decision} at ${state.decided.time} by ${deciders.join(', ')}.`,
    details: { decision, reason, decided_by: deciders, decided_at: state.decided.time },
  });
}
