import { type EventData, type EventOf, makeEvent, type PolicyReference } from '@placet/events';
import { redact, type Verdict } from '@placet/policy';
import type { Signer } from '@placet/proof';
import { decidedEvent, newId } from '@placet/runtime';
import type { PolicyConfig } from './config.ts';

export type VerdictEvent = EventOf<'action.decided'> | EventOf<'approval.needed'>;

/** What the service says of a request: its decision, or that people are needed. */
export function verdictEvent(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  by: { signer: Signer; config: PolicyConfig; longestMs: number; now: Date },
): VerdictEvent {
  const { action_id, agent, action_name, payload_digest } = request.data;
  const facts = {
    reason: verdict.reason,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: referencesOf(verdict),
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
      const validForMs = verdict.settings.validForMs ?? by.config.automaticValidForMs;
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

/** Each text that had a part in it, and of each layer what it alone would have decided. */
function referencesOf({ layers }: Verdict): PolicyReference[] {
  return layers.flatMap(({ included = [], ...layer }) => [layer, ...included]);
}

function neededEvent(
  request: EventOf<'action.requested'>,
  verdict: Verdict,
  by: { config: PolicyConfig; longestMs: number; now: Date },
): EventOf<'approval.needed'> {
  const { idempotency_key: _key, policy: _policy, timeout_ms, ...told } = request.data;
  const { settings } = verdict;
  const validForMs = settings.validForMs ?? by.config.peopleValidForMs;
  const wantedMs = settings.timeoutMs ?? by.config.approvalTimeoutMs;
  const waitMs = Math.min(
    wantedMs,
    // What an agent names can only make the wait shorter.
    timeout_ms ?? Number.POSITIVE_INFINITY,
    Math.max(1000, by.longestMs - validForMs),
  );
  const data: EventData<'approval.needed'> = {
    ...told,
    payload: redact(told.payload, verdict.redact),
    ...(verdict.redact.length > 0 ? { redacted: verdict.redact } : {}),
    request_event: request.id,
    revision: 1,
    reason: verdict.reason,
    rule: verdict.rule,
    scope: verdict.scope,
    policies: referencesOf(verdict),
    demands: verdict.demands.map(({ separate, ...demand }) => ({
      ...demand,
      ...(separate ? { separate } : {}),
    })),
    requested_at: request.time,
    deadline: new Date(by.now.getTime() + waitMs).toISOString(),
    // Whoever shortens the time of people must not be allowed by that.
    on_timeout: waitMs < wantedMs ? 'deny' : (settings.onTimeout ?? 'deny'),
    ...(settings.requireReason === undefined ? {} : { require_reason: settings.requireReason }),
    valid_for_ms: validForMs,
  };
  return makeEvent('approval.needed', { service: 'policy', id: newId(), now: by.now, data });
}
