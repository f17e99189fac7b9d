import { type EventData, type EventOf, type EventType, makeEvent } from '@placet/events';
import { createSigner, generateSigningKey } from '@placet/proof';
import { decidedEvent } from '@placet/runtime';
import type { CheckRequest } from '../notes.ts';
import { askingFor, emailOf, type Payload, people, verdictOn } from '../world.ts';
import { changedBy, digestOfPayload } from './payloads.ts';

/** The events of a small history, each as the service whose it is would write it. */
export const actionId = (n: number) => `act_${n.toString(16).padStart(32, '0')}`;
type Eight = [string, string, string, string, string, string, string, string];
export const [read, wire, refund, drop, logged, order, excess, restart] = [1, 2, 3, 4, 5, 6, 7, 8].map(
  actionId,
) as Eight;
const begin = Date.UTC(2026, 0, 1, 12);
export const at = (seconds: number) => new Date(begin + seconds * 1000);

export const signer = createSigner(generateSigningKey());
export const agent = 'billing';
const payloadOf = (amount: number): Payload => ({ n: 1, amount, of: agent });
const accepts = ['edits'];

export const requests: Record<string, CheckRequest> = {
  [read]: { action_name: 'read.file', payload: payloadOf(5), idempotency_key: 'billing-1' },
  [wire]: { action_name: 'wire.send', payload: payloadOf(5), idempotency_key: 'billing-2' },
  [refund]: { action_name: 'refund.create', payload: payloadOf(5) },
  [drop]: { action_name: 'drop.table', payload: payloadOf(5) },
  [order]: { action_name: 'order.place', payload: payloadOf(600), accepts },
  [excess]: { action_name: 'order.place', payload: payloadOf(600), accepts },
  [restart]: { action_name: 'restart.service', payload: payloadOf(300), accepts },
};
export const requestFor = (action: string) => requests[action] as CheckRequest;

/** What people have changed: of the order into this, and of the other one into what the policy denies. */
export const changed: Record<string, number> = { [order]: 610.5, [excess]: 950.5 };
export const changesOf = (action: string) => ({ 'payload.amount': changed[action] });

/** The payload of an action, as it was asked for or as it was changed. */
export function payloadAt(action: string, revision: number): Payload {
  const { payload } = requestFor(action);
  return revision === 1 ? payload : changedBy(payload, changesOf(action));
}
export const digestAt = (action: string, revision: number) => digestOfPayload(payloadAt(action, revision));

function event<T extends EventType>(type: T, data: object, seconds: number): EventOf<T> {
  const part = (name: string) => (name in data ? (data as Record<string, unknown>)[name] : '');
  const id = `${type}-${part('action_id')}-${part('number')}-${part('revision')}`;
  return makeEvent(type, { service: 'decisions', id, now: at(seconds), data: data as EventData<T> });
}

export function requestedOf(action: string): EventOf<'action.requested'> {
  const { idempotency_key = null, ...request } = requestFor(action);
  const payload_digest = digestAt(action, 1);
  const own = { action_id: action, agent, payload_digest, idempotency_key, owner: 'o' };
  return event('action.requested', { ...request, ...own }, 0);
}

function demandsOf(action: string) {
  const { action_name, payload } = requestFor(action);
  const verdict = verdictOn(action_name, payload);
  return verdict.by === 'people' ? verdict.demands : [];
}

export function neededOf(action: string, revision = 1, seconds = 1): EventOf<'approval.needed'> {
  const { data, id, time } = requestedOf(action);
  const demands = demandsOf(action).map(({ roles, ...demand }) => {
    return { scope: null, rule: null, approvers: roles.map((role) => ({ kind: 'role', role })), ...demand };
  });
  const facts = {
    reason: 'held',
    rule: null,
    scope: null,
    policies: [],
    on_timeout: 'deny',
    valid_for_ms: 20_000,
  };
  const payload = { payload: payloadAt(action, revision), payload_digest: digestAt(action, revision) };
  const times = { requested_at: time, deadline: at(6).toISOString() };
  const own = { request_event: id, revision, demands };
  return event('approval.needed', { ...data, ...facts, ...payload, ...times, ...own }, seconds);
}

const person = (name: string) => ({ id: `per_${name}`, email: emailOf(name) });

/** For each demand the role in which somebody is asked. `inPlaceOf` names who has handed the place on. */
function eligibleAs(action: string, name: string, inPlaceOf?: string) {
  const asked = inPlaceOf ?? name;
  const { roles = [] } = people.find(({ email }) => email === emailOf(asked)) ?? {};
  const later = askingFor(requestFor(action).action_name).escalate.map(({ role }) => role);
  return demandsOf(action).map((demand) => {
    const role = [...demand.roles, ...later].find((one) => roles.includes(one));
    if (role === undefined) return null;
    return {
      as: [`role:${role}`],
      ...(inPlaceOf === undefined ? {} : { in_place_of: person(inPlaceOf).id }),
    };
  });
}

type Ballot = { revision?: number; seconds?: number; inPlaceOf?: string };

export function votedBy(
  action: string,
  name: string,
  vote: 'approve' | 'reject',
  number: number,
  { revision = 1, seconds = 2, inPlaceOf }: Ballot = {},
): EventOf<'approval.voted'> {
  const eligible_as = eligibleAs(action, name, inPlaceOf);
  const said = { number, vote, voter: person(name), eligible_as, payload_digest: digestAt(action, revision) };
  return event(
    'approval.voted',
    { action_id: action, agent, channel: 'api', request: 'q', ...said },
    seconds,
  );
}

const standing = { audience: [], due: at(6).toISOString() };

export function editedBy(action: string, name: string, seconds: number): EventOf<'approval.edited'> {
  const made = {
    revision: 2,
    previous_digest: digestAt(action, 1),
    payload: payloadAt(action, 2),
    payload_digest: digestAt(action, 2),
    changes: Object.entries(changesOf(action)).map(([path, to]) => ({ path, to })),
  };
  const by = { editor: person(name), eligible_as: eligibleAs(action, name), channel: 'api', request: 'q' };
  return event(
    'approval.edited',
    { action_id: action, agent, number: 1, ...by, ...made, ...standing },
    seconds,
  );
}

export function reassignedBy(
  action: string,
  name: string,
  to: string,
  seconds: number,
  number = 1,
): EventOf<'approval.reassigned'> {
  const { id } = person(name);
  const by = { by: person(name), place: id, eligible_as: eligibleAs(action, name) };
  const approvers = [{ kind: 'user', email: emailOf(to) }];
  const data = { action_id: action, agent, number, channel: 'api', request: 'q', approvers };
  return event('approval.reassigned', { ...data, ...by, ...standing }, seconds);
}

export function remindedOf(action: string, step: number, share: number, seconds: number, number = 1) {
  return event('approval.reminded', { action_id: action, agent, number, step, share, ...standing }, seconds);
}

export function escalatedOf(action: string, step: number, role: string, seconds: number, number = 1) {
  const to = { demand: 0, approvers: [{ kind: 'role', role }] };
  return event('approval.escalated', { action_id: action, agent, number, step, ...to, ...standing }, seconds);
}

type Cause = 'policy' | 'votes' | 'timeout' | 'evaluation_failed';

export function decidedOf(
  action: string,
  decision: 'allowed' | 'denied',
  cause: Cause,
  seconds: number,
  revision = 1,
): EventOf<'action.decided'> {
  const { data, id } = requestedOf(action);
  const isHeld = demandsOf(action).length > 0;
  const facts = {
    reason: 'r',
    rule: null,
    scope: null,
    policies: [],
    deciders: ['x'],
    held: isHeld,
    revision,
  };
  const verdict = decision === 'allowed' ? { decision, cause, validForMs: 20_000 } : { decision, cause };
  const drafted = { ...facts, ...verdict } as Parameters<typeof decidedEvent>[3];
  const about = { ...data, payload_digest: digestAt(action, revision), request_event: id };
  return decidedEvent(cause === 'policy' ? 'policy' : 'decisions', signer, about, drafted, at(seconds));
}

export function closedOf({ id, data }: EventOf<'action.decided'>): EventOf<'approval.closed'> {
  const { action_id, action_name, decision, reason, deciders, proof } = data;
  const told = { action_id, agent, action_name, decision, reason, deciders, proof, decision_event: id };
  return event('approval.closed', told, 8);
}

export function executedOf(action: string, decided: string): EventOf<'action.executed'> {
  const data = { action_id: action, agent, decision_event: decided, status: 'success', late: false };
  return event('action.executed', data, 9);
}

export function loggedOf(action: string): EventOf<'action.logged'> {
  return event(
    'action.logged',
    { action_id: action, agent, action_name: 'read.file', outcome: 'success', case: 'a case' },
    9,
  );
}

export function commentedBy(action: string, name: string, comment: string): EventOf<'approval.commented'> {
  return event(
    'approval.commented',
    { action_id: action, agent, by: person(name), comment, channel: 'api' },
    2,
  );
}
