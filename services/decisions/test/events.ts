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

type Of = { action?: number; agent?: string; now?: Date; case?: string | undefined };

const ofAction = ({ action = 1, agent: by = agent, case: name }: Of) => ({
  action_id: actionId(action),
  agent: by,
  ...(name === undefined ? {} : { case: name }),
});

/** As whom somebody takes part in each demand, in nobody's place. */
const eligibleAs = (eligible: (string | null)[]) => eligible.map((as) => (as === null ? null : { as: [as] }));

const person = (id: string) => ({ id, email: `${id}@example.com` });

export function requested({ now = at(0), ...of }: Of = {}): EventOf<'action.requested'> {
  return event(
    'action.requested',
    {
      ...ofAction(of),
      action_name: 'refund',
      payload: { amount: 5 },
      payload_digest: digest,
      idempotency_key: null,
      owner: 'dana@example.com',
    },
    now,
  );
}

type Needed = EventData<'approval.needed'>;

export function needed(
  options: Of & {
    demands?: Needed['demands'];
    deadline?: Date;
    revision?: number;
    digest?: string;
    steps?: Needed['steps'];
  } = {},
): EventOf<'approval.needed'> {
  const { now = at(1), deadline = at(60), revision = 1, digest: shown = digest, steps, ...of } = options;
  const { demands = [{ scope: 'default', rule: null, approvers: [], quorum: 1 }] } = options;
  return event(
    'approval.needed',
    {
      ...ofAction(of),
      action_name: 'refund',
      request_event: 'request',
      revision,
      payload: { amount: 5 },
      payload_digest: shown,
      owner: 'dana@example.com',
      reason: 'held',
      rule: null,
      scope: 'default',
      policies: [],
      demands,
      requested_at: at(0).toISOString(),
      deadline: deadline.toISOString(),
      on_timeout: 'deny',
      ...(steps ? { steps } : {}),
      valid_for_ms: 60_000,
    },
    now,
  );
}

type ByPerson = Of & { by?: string; number?: number; eligible?: (string | null)[]; comment?: string };

function byPerson({ by = 'ann', number = 1, eligible = ['role:approver'], comment, ...of }: ByPerson) {
  return {
    ...ofAction(of),
    number,
    request: `request of ${by}`,
    ...(comment === undefined ? {} : { comment }),
    eligible_as: eligibleAs(eligible),
    channel: 'api',
  };
}

export function voted(
  options: ByPerson & { vote?: 'approve' | 'reject'; digest?: string } = {},
): EventOf<'approval.voted'> {
  const { now = at(2), vote = 'approve', by = 'ann', digest: shown = digest } = options;
  const data = { ...byPerson(options), vote, voter: person(by), payload_digest: shown };
  return event('approval.voted', data, now);
}

/** Whom it asks from now on, and when the clock has to look at it. */
type Standing = { audience?: string[]; due?: Date };

const standing = ({ audience = ['role:approver'], due = at(60) }: Standing) => ({
  audience,
  due: due.toISOString(),
});

export function edited(
  options: ByPerson & Standing & { revision?: number; previous?: string; digest?: string } = {},
): EventOf<'approval.edited'> {
  const { now = at(2), by = 'ann', revision = 2, previous = digest, digest: shown = digest } = options;
  return event(
    'approval.edited',
    {
      ...byPerson(options),
      ...standing(options),
      editor: person(by),
      revision,
      previous_digest: previous,
      payload: { amount: 4 },
      payload_digest: shown,
      changes: [{ path: 'amount', from: 5, to: 4 }],
    },
    now,
  );
}

type Stepped = Of & Standing & { number?: number; step?: number };

const stepped = ({ number = 1, step = 0, ...options }: Stepped) => ({
  ...ofAction(options),
  number,
  step,
  ...standing(options),
});

export function reminded({ now = at(30), ...options }: Stepped = {}): EventOf<'approval.reminded'> {
  return event('approval.reminded', { ...stepped(options), share: 0.5 }, now);
}

export function escalated(
  options: Stepped & {
    demand?: number;
    approvers?: EventData<'approval.escalated'>['approvers'];
    replace?: boolean;
  } = {},
): EventOf<'approval.escalated'> {
  const { now = at(30), demand = 0, approvers = [{ kind: 'role', role: 'manager' }], replace } = options;
  const others = { demand, approvers, ...(replace === undefined ? {} : { replace }) };
  return event('approval.escalated', { ...stepped(options), ...others }, now);
}

export function reassigned(
  options: ByPerson &
    Standing & { place?: string; approvers?: EventData<'approval.reassigned'>['approvers'] } = {},
): EventOf<'approval.reassigned'> {
  const { now = at(2), by = 'ann', place = by } = options;
  const { approvers = [{ kind: 'user', email: 'bob@example.com' }] } = options;
  const data = { ...byPerson(options), ...standing(options), by: person(by), place, approvers };
  return event('approval.reassigned', data, now);
}

export function commented(
  options: Of & { by?: string; comment?: string } = {},
): EventOf<'approval.commented'> {
  const { now = at(2), by = 'ann', comment = 'a comment' } = options;
  return event('approval.commented', { ...ofAction(options), by: person(by), comment, channel: 'api' }, now);
}

export function logged({ now = at(0), ...of }: Of = {}): EventOf<'action.logged'> {
  return event('action.logged', { ...ofAction(of), action_name: 'mail', outcome: 'success' }, now);
}

export function executed({ now = at(5), ...of }: Of = {}): EventOf<'action.executed'> {
  const data = { ...ofAction(of), decision_event: 'decision', status: 'success', late: false };
  return event('action.executed', data, now);
}

export function decided(
  options: Of & { decision?: 'allowed' | 'denied'; cause?: string; held?: boolean } = {},
): EventOf<'action.decided'> {
  const { now = at(3), decision = 'denied', cause = 'votes', held = true, ...of } = options;
  return event(
    'action.decided',
    {
      ...ofAction(of),
      action_name: 'refund',
      request_event: 'request',
      reason: 'because',
      rule: null,
      scope: null,
      policies: [],
      payload_digest: digest,
      deciders: ['person:ann@example.com'],
      held,
      proof: 'proof',
      decision,
      cause,
      ...(decision === 'allowed' ? { valid_until: at(600).toISOString() } : {}),
    },
    now,
  );
}

export function closed({ now = at(4), ...of }: Of = {}): EventOf<'approval.closed'> {
  return event(
    'approval.closed',
    {
      ...ofAction(of),
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
