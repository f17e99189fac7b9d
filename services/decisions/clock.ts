import { audienceNow, dueOf, escalatedDemands, type Step } from '@placet/events';
import { append, conclude, deny, isOver, ofAction, type Ruling, settled, timedOut } from './ending.ts';
import { outcomeOf } from './outcome.ts';
import type { ActionState, Command, Held } from './state.ts';

const unjudged = 'The policy gave no verdict in time, so the action is denied. Ask again under a new key.';

/** What the time that has passed asks for. */
export function looked(
  { now, sweepAfterMs }: Extract<Command, { kind: 'look' }>,
  state: ActionState,
): Ruling {
  switch (state.status) {
    case 'unknown':
    case 'decided':
      return settled;
    case 'requested': {
      const waitedMs = now.getTime() - Date.parse(state.request.time);
      return waitedMs >= sweepAfterMs ? deny('evaluation_failed', unjudged) : settled;
    }
    case 'held': {
      const { edited } = state.standing;
      const isUnjudged = edited !== null && now.getTime() - Date.parse(edited.time) >= sweepAfterMs;
      return owed(state, now) ?? (isUnjudged ? deny('evaluation_failed', unjudged) : settled);
    }
    default:
      return state satisfies never;
  }
}

/** What an open approval has to have before anything else: its decision, its end, or the step whose time has come. */
export function owed(state: Held, now: Date): Ruling | null {
  const { standing } = state;
  const outcome = standing.edited === null ? outcomeOf(standing) : null;
  if (outcome) return conclude(outcome);
  // The clock may not have come round yet, but a time that has passed has passed.
  if (isOver(standing, now)) return timedOut(standing);
  const step = standing.needed.data.steps?.[standing.steps];
  if (standing.edited !== null || !step || now.getTime() < Date.parse(step.at)) return null;
  return taken(state, step);
}

/** One step, which its number makes happen once. */
function taken({ standing, numbers }: Held, step: Step): Ruling {
  const position = standing.steps;
  const due = dueOf({ needed: standing.needed, steps: position + 1 });
  switch (step.kind) {
    case 'remind': {
      const type = 'approval.reminded';
      const audience = audienceNow(standing);
      const common = { ...ofAction(standing, numbers, type), step: position, audience, due };
      return append({ type, data: { ...common, share: step.share } });
    }
    case 'escalate': {
      const type = 'approval.escalated';
      const { demand, approvers, replace } = step;
      const demands = escalatedDemands(standing.demands, step);
      const audience = audienceNow({ ...standing, demands });
      const common = { ...ofAction(standing, numbers, type), step: position, audience, due };
      return append({ type, data: { ...common, demand, approvers, ...(replace ? { replace } : {}) } });
    }
    default:
      return step satisfies never;
  }
}
