import {
  type EventData,
  type EventOf,
  type EventType,
  entryOf,
  makeEvent,
  type PlacetEvent,
  subjectFor,
} from '@placet/events';
import { createSigner, generateSigningKey } from '@placet/proof';
import { decidedEvent } from '@placet/runtime';
import type { Evidence, Stored } from '../evidence.ts';
import type { Asked, Body, CheckRequest, Note, Told } from '../notes.ts';
import { people } from '../world.ts';
import { digestOfPayload } from './permissions.ts';

/** A small history in which every rule holds, and of which a test spoils one thing. */
export const sweepAfterMs = 6000;
export const actionId = (n: number) => `act_${n.toString(16).padStart(32, '0')}`;
export const [read, wire, refund, drop, logged] = [1, 2, 3, 4, 5].map(actionId) as [
  string,
  string,
  string,
  string,
  string,
];
const begin = Date.UTC(2026, 0, 1, 12);
export const at = (seconds: number) => new Date(begin + seconds * 1000);

const signer = createSigner(generateSigningKey());
const agent = 'billing';
const payload = { n: 1, amount: 5, of: agent };

const requests: Record<string, CheckRequest> = {
  [read]: { action_name: 'read.file', payload, idempotency_key: 'billing-1' },
  [wire]: { action_name: 'wire.send', payload, idempotency_key: 'billing-2' },
  [refund]: { action_name: 'refund.create', payload },
  [drop]: { action_name: 'drop.table', payload },
};
const roles: Record<string, string[]> = { [wire]: ['treasurer', 'controller'], [refund]: ['approver'] };

export function note(by: string, asked: Asked, told: Told, seconds: number): Note {
  const sentAt = at(seconds).getTime();
  return { by, gateway: 'gateway-1', sentAt, toldAt: sentAt + 10, asked, told };
}

export const check = (action: string): Asked => ({
  kind: 'check',
  request: requests[action] as CheckRequest,
});

function event<T extends EventType>(type: T, data: object, seconds: number): EventOf<T> {
  const id = `${type}-${'action_id' in data ? data.action_id : ''}-${'number' in data ? data.number : ''}`;
  return makeEvent(type, { service: 'decisions', id, now: at(seconds), data: data as EventData<T> });
}

function requestedOf(action: string): EventOf<'action.requested'> {
  const { action_name, idempotency_key = null } = requests[action] as CheckRequest;
  const payload_digest = digestOfPayload(payload);
  const data = {
    action_id: action,
    agent,
    action_name,
    payload,
    payload_digest,
    idempotency_key,
    owner: 'o',
  };
  return event('action.requested', data, 0);
}

function neededOf(action: string): EventOf<'approval.needed'> {
  const { data, id, time } = requestedOf(action);
  const demands = roles[action]?.map((role) => {
    return { scope: null, rule: null, approvers: [{ kind: 'role', role }], quorum: 1 };
  });
  const facts = {
    reason: 'held',
    rule: null,
    scope: null,
    policies: [],
    on_timeout: 'deny',
    valid_for_ms: 20_000,
  };
  const times = { requested_at: time, deadline: at(6).toISOString() };
  return event(
    'approval.needed',
    { ...data, ...facts, ...times, request_event: id, revision: 1, demands },
    1,
  );
}

export function votedBy(action: string, name: string, vote: 'approve' | 'reject', number: number) {
  const voter = { id: `per_${name}`, email: `${name}@example.com` };
  const rest = {
    channel: 'api',
    eligible_as: [null],
    payload_digest: digestOfPayload(payload),
    request: 'q',
  };
  return event('approval.voted', { action_id: action, agent, number, vote, voter, ...rest }, 2);
}

type Cause = 'policy' | 'votes' | 'timeout' | 'evaluation_failed';

export function decidedOf(action: string, decision: 'allowed' | 'denied', cause: Cause, seconds: number) {
  const { data, id } = requestedOf(action);
  const isHeld = action in roles;
  const facts = { reason: 'r', rule: null, scope: null, policies: [], deciders: ['x'], held: isHeld };
  const verdict = decision === 'allowed' ? { decision, cause, validForMs: 20_000 } : { decision, cause };
  const from = isHeld ? 'decisions' : 'policy';
  const drafted = { ...facts, ...verdict } as Parameters<typeof decidedEvent>[3];
  return decidedEvent(from, signer, { ...data, request_event: id }, drafted, at(seconds));
}

function closedOf({ id, data }: EventOf<'action.decided'>): EventOf<'approval.closed'> {
  const { action_id, action_name, decision, reason, deciders, proof } = data;
  const told = { action_id, agent, action_name, decision, reason, deciders, proof, decision_event: id };
  return event('approval.closed', told, 8);
}

export function executedOf(action: string, decided: string): EventOf<'action.executed'> {
  const data = { action_id: action, agent, decision_event: decided, status: 'success', late: false };
  return event('action.executed', data, 9);
}

function loggedOf(action: string): EventOf<'action.logged'> {
  return event(
    'action.logged',
    { action_id: action, agent, action_name: 'read.file', outcome: 'success' },
    9,
  );
}

/** As the stream holds it, under the subject that is its own. */
export function stored(seq: number, one: PlacetEvent): Stored {
  const number =
    'number' in one.data ? one.data.number : 'revision' in one.data ? one.data.revision : undefined;
  const suffix =
    entryOf(one.type).suffix === 'id' ? one.id.replaceAll('.', '-') : (number as number | undefined);
  return { seq, subject: subjectFor(one.type, one.data, suffix), body: JSON.stringify(one), event: one };
}

export function soundCase(): Evidence {
  const decisions = {
    [read]: decidedOf(read, 'allowed', 'policy', 1),
    [wire]: decidedOf(wire, 'allowed', 'votes', 3),
    [refund]: decidedOf(refund, 'denied', 'timeout', 7),
    [drop]: decidedOf(drop, 'denied', 'policy', 1),
  } as Record<string, EventOf<'action.decided'>>;
  const decision = (action: string) => decisions[action] as EventOf<'action.decided'>;
  const events = [
    ...[read, wire, refund, drop].map(requestedOf),
    decision(read),
    decision(drop),
    ...[wire, refund].map(neededOf),
    votedBy(wire, 'tia', 'approve', 1),
    votedBy(wire, 'cem', 'approve', 2),
    decision(wire),
    decision(refund),
    closedOf(decision(wire)),
    closedOf(decision(refund)),
    executedOf(read, decision(read).id),
    loggedOf(logged),
  ];
  const stream = events.map((one, i) => stored(i + 1, one));
  const configuration = [{ seq: 1, subject: '$KV.placet-people.per_1', body: '{}', event: null }];
  return {
    notes: notesOf(decision),
    stream,
    configuration,
    record: [...recordOf('PLACET', stream), ...recordOf('PLACET_CONFIG', configuration)].map((one, index) => {
      return { ...one, index };
    }),
    outcomes: stream.flatMap(({ seq, event: one, body }) =>
      one && (entryOf(one.type).root === 'act' || one.type === 'action.executed')
        ? [{ action: (one.data as { action_id: string }).action_id, agent, seq, body }]
        : [],
    ),
    unfinished: [],
    keys: { keys: [signer.publicJwk] },
    people,
    processes: { endedByThemselves: [], failedStarts: 0 },
    restless: [],
    fills: { filled: 1, roomAgain: 1 },
  };
}

const recordOf = (stream: string, messages: Stored[]) =>
  messages.map(({ seq, subject, body, event: one }) => {
    return { index: 0, id: one?.id ?? `config:${seq}`, stream, seq, subject, body };
  });

function notesOf(decision: (action: string) => EventOf<'action.decided'>): Note[] {
  const body = (action: string): Body => {
    const { data } = decision(action);
    const ends = data.decision === 'allowed' ? { valid_until: data.valid_until } : {};
    return {
      action_id: action,
      decision: data.decision,
      payload_digest: data.payload_digest,
      proof: data.proof,
      ...ends,
    };
  };
  const ok = (told: Body, status = 200): Told => ({ status, body: told });
  const pending = (action: string) => {
    return ok({ action_id: action, decision: 'pending', approval: { deadline: at(6).toISOString() } });
  };
  const vote = (name: string, action: string, told: Told) =>
    note(`${name}@example.com`, { kind: 'vote', action, vote: 'approve' }, told, 2);
  return [
    note(agent, check(read), { lost: 'TimeoutError' }, 0),
    note(agent, check(read), ok(body(read)), 1),
    note(agent, check(read), ok(body(read)), 2),
    note(agent, check(wire), pending(wire), 1),
    note(agent, check(refund), pending(refund), 1),
    note(agent, check(drop), ok(body(drop)), 1),
    vote('tia', wire, ok({ action_id: wire, decision: 'pending' })),
    vote('cem', wire, { lost: 'ECONNRESET' }),
    vote('out', wire, { status: 403, body: { error: 'NOT_ELIGIBLE' } }),
    note(agent, { kind: 'answer', action: wire }, ok(body(wire)), 4),
    note(agent, { kind: 'answer', action: refund }, ok(body(refund)), 8),
    note(agent, { kind: 'execution', action: read }, ok({ action_id: read }, 201), 9),
    note(agent, { kind: 'execution', action: read }, { status: 409, body: { error: 'ALREADY_USED' } }, 9.5),
    note(
      agent,
      check(read),
      { status: 409, body: { error: 'ALREADY_USED', details: { action_id: read } } },
      10,
    ),
    note(agent, { kind: 'log' }, ok({ action_id: logged }, 201), 11),
    note(agent, { kind: 'log' }, { status: 503, body: { error: 'STORE_FULL' } }, 11),
  ];
}
