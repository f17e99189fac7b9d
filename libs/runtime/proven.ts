import type { EventOf } from '@placet/events';
import { digestOf, type Jwks, type ProofClaims, verifyProof } from '@placet/proof';

/**
 * What is wrong with the proof of an event, in words; null when it is by somebody whom we trust and says exactly what
 * the event says. Whoever holds no seal key believes of a decision what this lets pass, and nothing else.
 */
export function proofProblem(
  event: EventOf<'action.decided'> | EventOf<'approval.closed'>,
  trusted: Jwks,
): string | null {
  // It may be long after the permission: what counts is who said so.
  const verdict = verifyProof(event.data.proof, trusted, { now: null });
  if (!verdict.ok) return verdict.message;
  const told = event.type === 'action.decided' ? decidedClaims(event) : closedClaims(event);
  const other = Object.entries(told).find(([name, value]) => {
    return JSON.stringify(verdict.claims[name as keyof ProofClaims]) !== JSON.stringify(value);
  });
  return other ? `The proof says something else than the event: ${other[0]}.` : null;
}

type Told = Partial<Record<keyof ProofClaims, unknown>>;

/** Every claim that a decision's author makes (see decided.ts), out of the event. */
function decidedClaims({ id, source, time, data }: EventOf<'action.decided'>): Told {
  return {
    iss: source,
    ...common(data),
    payload_digest: data.payload_digest,
    policies: data.policies.flatMap(({ scope, digest }) => (digest ? [{ scope, digest }] : [])),
    event: data.request_event,
    choice: data.choice,
    answer_digest: data.answer === undefined ? undefined : digestOf(data.answer),
    iat: Math.floor(Date.parse(time) / 1000),
    exp: data.decision === 'allowed' ? Math.ceil(Date.parse(data.valid_until) / 1000) : undefined,
    jti: id,
  };
}

/** It repeats a part of the decision, which may be of any service that decides. */
function closedClaims({ data }: EventOf<'approval.closed'>): Told {
  return { ...common(data), choice: data.choice, jti: data.decision_event };
}

function common(data: EventOf<'approval.closed'>['data'] | EventOf<'action.decided'>['data']): Told {
  const { action_id, agent, action_name, decision, deciders } = data;
  return { sub: action_id, agent, action: action_name, decision, deciders };
}
