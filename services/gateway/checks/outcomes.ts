import { type EventOf, parseEvent, requests, subjectFor } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { ask, type BusContext, causeId, proofProblem, type RaiseAlarm } from '@placet/runtime';
import * as z from 'zod';

const Answer = z.object({ decided: z.unknown(), executed: z.unknown() }).nullable();

export type StoredOutcome = {
  decided: EventOf<'action.decided'>;
  executed: EventOf<'action.executed'> | undefined;
};

/**
 * What the stream no longer holds, the decisions service has stored. Whoever has the password of that store can write
 * into it what he likes, but not a proof: what has none is not told.
 */
export async function storedOutcome(
  { context, alarm, trusted }: { context: BusContext; alarm: RaiseAlarm; trusted: () => Jwks },
  agent: string,
  actionId: string,
): Promise<StoredOutcome | null> {
  const stored = await ask(context, requests.outcome, { agent, action_id: actionId }, Answer);
  if (!stored) return null;
  const decided = eventOf('action.decided', agent, actionId, stored.decided);
  const problem = decided ? proofProblem(decided, trusted()) : 'It is no decision of this action.';
  if (decided && problem === null) {
    const executed = eventOf('action.executed', agent, actionId, stored.executed);
    return { decided, executed: executed ?? undefined };
  }
  await alarm({
    kind: 'proof_rejected',
    about: causeId('outcome', agent, actionId),
    message: `The stored decision of ${actionId} is not told: ${problem}`,
    details: { agent, action_id: actionId },
  });
  return null;
}

function eventOf<T extends 'action.decided' | 'action.executed'>(
  type: T,
  agent: string,
  action_id: string,
  stored: unknown,
): EventOf<T> | null {
  const subject = subjectFor(type, { agent, action_id }, type === 'action.executed' ? 'stored' : undefined);
  const parsed = parseEvent(subject, JSON.stringify(stored ?? null));
  return parsed.ok && parsed.event.type === type ? (parsed.event as EventOf<T>) : null;
}
