import { type EventData, type EventOf, makeEvent } from '@placet/events';
import type { Verdict } from '@placet/policy';
import type { Signer } from '@placet/proof';
import { decidedEvent, newId } from '@placet/runtime';
import type { PolicyConfig } from './config.ts';

export type VerdictEvent = EventOf<'action.decided'> | EventOf<'approval.needed'>;

/** What the service says of a request: its decision, or that people are needed. */
export function verdictEvent(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  by: { signer: Signer; config: PolicyConfig; now: Date },
): VerdictEvent {
  const { action_id, agent, action_name, payload_digest } = request.data;
  const facts = {
    reason: verdict.reason,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: verdict.layers.map(({ scope, digest, revision }) => ({ scope, digest, revision })),
    deciders: ['policy'],
    held: false,
  };
  const action = {
    action_id,
    agent,
    action_name,
    payload_digest,
    request_event: request.id,
    case: request.data.case,
  };
  switch (verdict.decide) {
    case 'allow': {
      const validForMs = by.config.automaticValidForMs;
      const allowed = { ...facts, decision: 'allowed', cause: 'policy', validForMs } as const;
      return decidedEvent('policy', by.signer, action, allowed, by.now);
    }
    case 'deny':
      return decidedEvent(
        'policy',
        by.signer,
        action,
        { ...facts, decision: 'denied', cause: 'policy' },
        by.now,
      );
    case 'require_approval':
      return neededEvent(request, verdict, by);
    default:
      return verdict.decide satisfies never;
  }
}

function neededEvent(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  by: { config: PolicyConfig; now: Date },
): EventOf<'approval.needed'> {
  const { idempotency_key: _key, policy: _policy, timeout_ms, ...told } = request.data;
  // What an agent names can only make the wait shorter.
  const waitMs = Math.min(by.config.approvalTimeoutMs, timeout_ms ?? Number.POSITIVE_INFINITY);
  const data: EventData<'approval.needed'> = {
    ...told,
    request_event: request.id,
    revision: 1,
    reason: verdict.reason,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: verdict.layers.map(({ scope, digest, revision }) => ({ scope, digest, revision })),
    demands: verdict.demands.map((demand) => ({ ...demand, quorum: 1 })),
    requested_at: request.time,
    deadline: new Date(by.now.getTime() + waitMs).toISOString(),
    on_timeout: 'deny',
    valid_for_ms: by.config.peopleValidForMs,
  };
  return makeEvent('approval.needed', { service: 'policy', id: newId(), now: by.now, data });
}
