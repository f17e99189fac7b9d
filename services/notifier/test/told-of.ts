import {
  askedNow,
  type EventData,
  type EventOf,
  makeEvent,
  opened,
  proceed,
  type Reachable,
  type Standing,
} from '@placet/events';
import type { Told } from '../told.ts';

const digest = (character: string) => `sha256:${character.repeat(64)}`;

export const ann: Reachable = {
  id: 'per_ann',
  email: 'ann@example.com',
  name: 'Ann',
  slack: [],
  as: ['role:manager'],
};

export type Asked = {
  needed?: Partial<EventData<'approval.needed'>>;
  people?: Reachable[];
  version?: number;
};

/** An approval as a channel is told of it, that waits. */
export function toldOf({ needed = {}, people = [ann], version = 2 }: Asked = {}): Told {
  const { action_id: actionId = 'act_1', agent = 'support' } = needed;
  const data: EventData<'approval.needed'> = {
    action_id: actionId,
    agent,
    action_name: 'refund.create',
    request_event: 'evt_request',
    revision: 1,
    payload: { customer: 'Zoë Müller', amount: 120.5, note: 'The parcel was lost.' },
    payload_digest: digest('1'),
    owner: 'owner@example.com',
    reason: 'Refunds over 100 are looked at.',
    rule: 'large refunds',
    scope: 'default',
    policies: [],
    demands: [
      { scope: 'default', rule: 'large refunds', approvers: [{ kind: 'role', role: 'manager' }], quorum: 1 },
    ],
    requested_at: '2026-11-22T07:00:00.000Z',
    deadline: '2026-11-22T08:15:00.000Z',
    on_timeout: 'deny',
    valid_for_ms: 3_600_000,
    ...needed,
  };
  const standing = opened(eventOf('approval.needed', data));
  const asked = askedNow(standing);
  return {
    actionId,
    agent,
    needed: data,
    standing,
    comments: [],
    reminded: [],
    failed: [],
    ended: null,
    asked,
    people,
    version,
    latest: { id: 'evt_approval.needed', type: 'approval.needed' },
  };
}

export function remindedOf(told: Told): Told {
  const steps = [{ kind: 'remind' as const, at: '2026-11-22T07:37:30.000Z', share: 0.5 }];
  const needed = { ...told.needed, steps };
  const { standing } = toldOf({ needed });
  const reminded = eventOf('approval.reminded', {
    action_id: told.actionId,
    agent: told.agent,
    number: 1,
    step: 0,
    share: 0.5,
    audience: [],
    due: told.needed.deadline,
  });
  const version = told.version + 1;
  return { ...told, needed, standing: proceed(standing, reminded), reminded: [version], version };
}

export function changedOf(told: Told, payload: unknown): Told {
  const revision = told.needed.revision + 1;
  const editor = { id: 'per_ben', email: 'ben@example.com' };
  const needed = { ...told.needed, payload, revision, payload_digest: digest('2'), edited_by: [editor] };
  return { ...toldOf({ needed, people: told.people }), version: told.version + 2 };
}

export function votedOf(told: Told, comment?: string): Told {
  const voted: EventOf<'approval.voted'> = eventOf('approval.voted', {
    action_id: told.actionId,
    agent: told.agent,
    number: 1,
    request: 'req_1',
    eligible_as: told.standing.demands.map(() => ({ as: ['role:manager'] })),
    channel: 'api',
    vote: 'approve',
    voter: { id: 'per_ben', email: 'ben@example.com' },
    payload_digest: told.needed.payload_digest,
    ...(comment === undefined ? {} : { comment }),
  });
  const standing: Standing = proceed(told.standing, voted);
  return { ...told, standing, version: told.version + 1 };
}

export function endedOf(told: Told, reason = 'The customer is right.'): Told {
  const { actionId, agent, needed } = told;
  const ended: EventData<'action.decided'> = {
    action_id: actionId,
    agent,
    action_name: needed.action_name,
    request_event: needed.request_event,
    reason,
    rule: needed.rule,
    scope: needed.scope,
    policies: [],
    payload_digest: needed.payload_digest,
    deciders: ['person:ben@example.com'],
    held: true,
    proof: 'a.b.c',
    decision: 'allowed',
    cause: 'votes',
    valid_until: '2026-11-22T09:00:00.000Z',
  };
  return { ...told, ended, people: [], version: told.version + 1 };
}

function eventOf<T extends 'approval.needed' | 'approval.voted' | 'approval.reminded'>(
  type: T,
  data: EventData<T>,
): EventOf<T> {
  return makeEvent(type, { service: 'decisions', id: `evt_${type}`, now: new Date(0), data }) as EventOf<T>;
}
