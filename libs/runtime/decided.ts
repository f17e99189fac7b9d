import { type EventData, type EventOf, makeEvent, type PolicyReference } from '@placet/events';
import { digestOf, type Signer } from '@placet/proof';
import { newId } from './bus.ts';

/** What a decision is about, as the request or the approval tells it. */
export type DecidedAction = {
  action_id: string;
  agent: string;
  action_name: string;
  request_event: string;
  payload_digest: string;
  case?: string | undefined;
};

export type DecisionFacts = {
  reason: string;
  rule: string | null;
  scope: string | null;
  policies: PolicyReference[];
  deciders: string[];
  held: boolean;
  /** Of the payload, where people have changed it. */
  revision?: number;
  /** What people chose and answered. */
  choice?: string;
  answer?: unknown;
} & (
  | { decision: 'allowed'; cause: 'policy' | 'votes' | 'timeout'; validForMs: number }
  | { decision: 'denied'; cause: EventData<'action.decided'>['cause'] }
);

/** The decision of an action as an event, with the proof that anyone can check. */
export function decidedEvent(
  service: 'policy' | 'decisions',
  signer: Signer,
  action: DecidedAction,
  facts: DecisionFacts,
  now: Date,
): EventOf<'action.decided'> {
  const id = newId();
  const iat = Math.floor(now.getTime() / 1000);
  const validUntil = facts.decision === 'allowed' ? new Date(now.getTime() + facts.validForMs) : null;
  const proof = signer.signProof({
    iss: `placet/${service}`,
    sub: action.action_id,
    agent: action.agent,
    action: action.action_name,
    decision: facts.decision,
    payload_digest: action.payload_digest,
    policies: facts.policies.flatMap(({ scope, digest }) => (digest ? [{ scope, digest }] : [])),
    deciders: facts.deciders,
    event: action.request_event,
    iat,
    ...(facts.choice === undefined ? {} : { choice: facts.choice }),
    ...(facts.answer === undefined ? {} : { answer_digest: digestOf(facts.answer) }),
    ...(validUntil ? { exp: Math.ceil(validUntil.getTime() / 1000) } : {}),
    jti: id,
  });
  const { action_id, agent, action_name, request_event, payload_digest } = action;
  const { reason, rule, scope, policies, deciders, held, revision = 1, choice, answer } = facts;
  const common = {
    action_id,
    agent,
    action_name,
    request_event,
    payload_digest,
    reason,
    rule,
    scope,
    policies,
    deciders,
    held,
    ...(revision > 1 ? { revision } : {}),
    ...(choice === undefined ? {} : { choice }),
    ...(answer === undefined ? {} : { answer }),
    proof,
    ...(action.case === undefined ? {} : { case: action.case }),
  };
  const data = validUntil
    ? { ...common, decision: 'allowed', cause: facts.cause, valid_until: validUntil.toISOString() }
    : { ...common, decision: 'denied', cause: facts.cause };
  return makeEvent('action.decided', { service, id, now, data: data as EventData<'action.decided'> });
}
