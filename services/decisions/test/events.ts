import { type EventData, type EventOf, type EventType, makeEvent } from '@placet/events';

/** Events of one action, as tests need them. */
export const agent = 'support';
export const digest = `sha256:${'a'.repeat(64)}`;
export const actionId = (n = 1) => `act_${n.toString(16).padStart(32, '0')}`;
export const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1, 12, 0, seconds));

let ids = 0;

function event<T extends EventType>(type: T, data: unknown, now: Date): EventOf<T> {
  return makeEvent(type, { service: 'decisions', id: `event-${++ids}`, now, data: data as EventData<T> });
}

type Of = { action?: number; now?: Date };

export function requested({ action = 1, now = at(0) }: Of = {}): EventOf<'action.requested'> {
  return event(
    'action.requested',
    {
      action_id: actionId(action),
      agent,
      action_name: 'refund',
      payload: { amount: 5 },
      payload_digest: digest,
      idempotency_key: null,
      owner: 'dana@example.com',
    },
    now,
  );
}

export function needed(
  options: Of & { demands?: EventData<'approval.needed'>['demands']; deadline?: Date } = {},
): EventOf<'approval.needed'> {
  const { action = 1, now = at(1), deadline = at(60) } = options;
  const { demands = [{ scope: 'default', rule: null, approvers: [], quorum: 1 }] } = options;
  return event(
    'approval.needed',
    {
      action_id: actionId(action),
      agent,
      action_name: 'refund',
      request_event: 'request',
      revision: 1,
      payload: { amount: 5 },
      payload_digest: digest,
      owner: 'dana@example.com',
      reason: 'held',
      rule: null,
      scope: 'default',
      policies: [],
      demands,
      requested_at: at(0).toISOString(),
      deadline: deadline.toISOString(),
      on_timeout: 'deny',
      valid_for_ms: 60_000,
    },
    now,
  );
}

export function voted(
  options: Of & {
    vote?: 'approve' | 'reject';
    by?: string;
    eligible?: (string | null)[];
    comment?: string;
  } = {},
): EventOf<'approval.voted'> {
  const {
    action = 1,
    now = at(2),
    vote = 'approve',
    by = 'ann',
    eligible = ['role:approver'],
    comment,
  } = options;
  return event(
    'approval.voted',
    {
      action_id: actionId(action),
      agent,
      number: 1,
      request: `request of ${by}`,
      vote,
      ...(comment === undefined ? {} : { comment }),
      voter: { id: by, email: `${by}@example.com` },
      eligible_as: eligible,
      channel: 'api',
      payload_digest: digest,
    },
    now,
  );
}

export function decided(
  options: Of & { decision?: 'allowed' | 'denied'; cause?: string } = {},
): EventOf<'action.decided'> {
  const { action = 1, now = at(3), decision = 'denied', cause = 'votes' } = options;
  return event(
    'action.decided',
    {
      action_id: actionId(action),
      agent,
      action_name: 'refund',
      request_event: 'request',
      reason: 'because',
      rule: null,
      scope: null,
      policies: [],
      payload_digest: digest,
      deciders: ['person:ann@example.com'],
      held: true,
      proof: 'proof',
      decision,
      cause,
      ...(decision === 'allowed' ? { valid_until: at(600).toISOString() } : {}),
    },
    now,
  );
}

export function closed({ action = 1, now = at(4) }: Of = {}): EventOf<'approval.closed'> {
  return event(
    'approval.closed',
    {
      action_id: actionId(action),
      agent,
      action_name: 'refund',
      decision: 'denied',
      decision_event: 'decision',
      reason: 'because',
      deciders: ['person:ann@example.com'],
      proof: 'proof',
    },
    now,
  );
}
