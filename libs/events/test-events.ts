import * as fc from 'fast-check';
import { type EventData, type EventType, entryOf, eventTypes, isEventType } from './catalogue.ts';
import { makeEvent, type PlacetEvent } from './envelope.ts';
import { subjectFor } from './subjects.ts';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((a) => a.join(''));

export const agentNames = fc.stringMatching(/^[a-z0-9-]{1,64}$/);
export const actionIds = hex(32).map((text) => `act_${text}`);
export const types = fc.constantFrom(...eventTypes);

/** What a type's subject ends with, where it ends with something. */
export function suffixesOf(type: EventType): fc.Arbitrary<string | number | undefined> {
  const { suffix } = entryOf(type);
  if (suffix === 'none') return fc.constant(undefined);
  return suffix === 'number' ? fc.integer({ min: 1, max: 1_000_000 }) : fc.stringMatching(/^[A-Za-z0-9_-]+$/);
}

const digest = `sha256:${'a'.repeat(64)}`;
const at = '2025-03-01T10:00:00.000Z';
const voter = { id: 'p1', email: 'dana@example.com' };

/** A valid body of every type, about this agent and action. */
export function sampleData(type: EventType, agent: string, action_id: string, number = 1): object {
  const of = { agent, action_id };
  const about = { ...of, action_name: 'refund', reason: 'because', rule: null, scope: null, policies: [] };
  const notified = { ...of, channel: 'webhook', target: 'https://example.com', about: 'e1', about_type: 'x' };
  const standing = { audience: ['role:approver'], due: at };
  const samples: Record<EventType, object> = {
    'action.requested': {
      ...of,
      action_name: 'refund',
      payload: { amount: 5 },
      payload_digest: digest,
      idempotency_key: null,
      owner: 'dana@example.com',
    } satisfies EventData<'action.requested'>,
    'approval.needed': {
      ...about,
      request_event: 'e1',
      revision: number,
      payload: { amount: 5 },
      payload_digest: digest,
      owner: 'dana@example.com',
      demands: [{ scope: null, rule: null, approvers: [{ kind: 'role', role: 'approver' }], quorum: 1 }],
      requested_at: at,
      deadline: at,
      on_timeout: 'deny',
      valid_for_ms: 1000,
    },
    'approval.voted': {
      ...of,
      number,
      request: 'q1',
      vote: 'approve',
      voter,
      eligible_as: [{ as: ['role:approver'] }],
      channel: 'api',
      payload_digest: digest,
    },
    'approval.edited': {
      ...of,
      number,
      request: 'q1',
      editor: voter,
      eligible_as: [{ as: ['role:approver'] }],
      channel: 'inbox',
      revision: 2,
      previous_digest: digest,
      payload: {},
      payload_digest: digest,
      changes: [{ path: 'payload.amount', from: 5, to: 4 }],
      ...standing,
    },
    'approval.escalated': { ...of, number, step: 1, demand: 0, approvers: [], ...standing },
    'approval.reminded': { ...of, number, step: 0, share: 0.5, ...standing },
    'approval.reassigned': {
      ...of,
      number,
      request: 'q1',
      by: voter,
      place: 'p1',
      eligible_as: [{ as: ['role:approver'] }],
      approvers: [{ kind: 'user', email: 'bob@example.com' }],
      channel: 'api',
      ...standing,
    },
    'action.decided': {
      ...about,
      request_event: 'e1',
      payload_digest: digest,
      deciders: [],
      held: false,
      proof: 'a.b.c',
      decision: 'denied',
      cause: 'policy',
    },
    'grant.revoked': { grant: action_id, agent, revoked_by: 'p1' },
    'approval.commented': { ...of, by: voter, comment: 'hm', channel: 'api' },
    'approval.seen': { ...of, by: voter, channel: 'inbox' },
    'approval.closed': {
      ...of,
      action_name: 'refund',
      decision: 'denied',
      decision_event: 'e2',
      reason: 'no',
      deciders: [],
      proof: 'a.b.c',
    },
    'notification.sent': { ...notified, attempts: 1 },
    'notification.failed': { ...notified, attempts: 5, error: '410' },
    'action.executed': { ...of, decision_event: 'e2', status: 'success', late: false },
    'action.logged': { ...of, action_name: 'read_mail', outcome: 'success' },
    'grant.consumed': { ...of, grant: 'g1', decision_event: 'e2' },
    'alarm.raised': { kind: 'wrong_seal', message: 'a wrong seal', about: 'PLACET/1' },
    'message.dead': {
      stream: 'PLACET',
      consumer: 'policy',
      seq: 7,
      subject: 'placet.act.x',
      deliveries: 12,
      reason: 'r',
    },
  };
  return samples[type];
}

export function sampleEvent(type: EventType, agent: string, action: string, number = 1): PlacetEvent {
  const [service = 'gateway'] = entryOf(type).emitters;
  const data = sampleData(type, agent, action, number) as never;
  return makeEvent(type, { service, id: 'evt-1', now: new Date(at), data }) as PlacetEvent;
}

export function subjectOf(event: PlacetEvent, suffix: string | number | undefined): string {
  if (!isEventType(event.type)) throw new Error(`${event.type} is no type`);
  return subjectFor(event.type, event.data, suffix);
}

/** NATS's own rule: `*` is one token, `>` the rest, which is not empty. */
export function natsMatches(filter: string, subject: string): boolean {
  const [wanted, given] = [filter.split('.'), subject.split('.')];
  if (wanted.at(-1) === '>') {
    const before = wanted.slice(0, -1);
    return given.length > before.length && before.every((token, i) => token === '*' || token === given[i]);
  }
  return wanted.length === given.length && wanted.every((token, i) => token === '*' || token === given[i]);
}
