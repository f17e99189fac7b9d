import { type EventOf, entryOf, type PlacetEvent, subjectFor } from '@placet/events';
import type { Evidence, Stored } from '../evidence.ts';
import type { Asked, Body, Note, Told } from '../notes.ts';
import { emailOf, people } from '../world.ts';
import * as events from './sound-events.ts';
import { agent, at, drop, excess, order, read, refund, restart, wire } from './sound-events.ts';

/** A small history in which every rule holds, and of which a test spoils one thing. */
export const sweepAfterMs = 6000;

export function note(by: string, asked: Asked, told: Told, seconds: number): Note {
  const sentAt = at(seconds).getTime();
  return { by, gateway: 'gateway-1', sentAt, toldAt: sentAt + 10, asked, told };
}

export const check = (action: string): Asked => ({ kind: 'check', request: events.requestFor(action) });

/** As the stream holds it, under the subject that is its own. */
export function stored(seq: number, one: PlacetEvent): Stored {
  const number =
    'number' in one.data ? one.data.number : 'revision' in one.data ? one.data.revision : undefined;
  const suffix =
    entryOf(one.type).suffix === 'id' ? one.id.replaceAll('.', '-') : (number as number | undefined);
  return { seq, subject: subjectFor(one.type, one.data, suffix), body: JSON.stringify(one), event: one };
}

const kept = ['action.executed', 'action.logged', 'approval.commented'];
const isKept = ({ type }: PlacetEvent) => entryOf(type).root === 'act' || kept.includes(type);

type Decided = EventOf<'action.decided'>;

export function soundCase(): Evidence {
  const decisions: Record<string, Decided> = {
    [read]: events.decidedOf(read, 'allowed', 'policy', 1),
    [wire]: events.decidedOf(wire, 'allowed', 'votes', 3),
    [refund]: events.decidedOf(refund, 'denied', 'timeout', 7),
    [drop]: events.decidedOf(drop, 'denied', 'policy', 1),
    [order]: events.decidedOf(order, 'allowed', 'votes', 3, 2),
    [excess]: events.decidedOf(excess, 'denied', 'policy', 2, 2),
    [restart]: events.decidedOf(restart, 'allowed', 'votes', 3),
  };
  const decision = (action: string) => decisions[action] as Decided;
  const stream = streamOf(decision).map((one, i) => stored(i + 1, one));
  const configuration = [{ seq: 1, subject: '$KV.placet-people.per_1', body: '{}', event: null }];
  return {
    notes: notesOf(decision),
    stream,
    configuration,
    record: [...recordOf('PLACET', stream), ...recordOf('PLACET_CONFIG', configuration)].map((one, index) => {
      return { ...one, index };
    }),
    outcomes: stream.flatMap(({ seq, event: one, body }) =>
      one && isKept(one) ? [{ action: (one.data as { action_id: string }).action_id, agent, seq, body }] : [],
    ),
    unfinished: [],
    keys: { keys: [events.signer.publicJwk] },
    people: people.map((one) => ({ ...one, id: `per_${one.email.split('@')[0]}` })),
    processes: { endedByThemselves: [], failedStarts: 0 },
    restless: [],
    fills: { filled: 1, roomAgain: 1 },
  };
}

function streamOf(decision: (action: string) => Decided): PlacetEvent[] {
  const { neededOf, votedBy } = events;
  return [
    ...[read, wire, refund, drop, order, excess, restart].map(events.requestedOf),
    decision(read),
    decision(drop),
    ...[wire, refund, order, excess, restart].map((action) => neededOf(action)),
    votedBy(wire, 'tia', 'approve', 1),
    votedBy(wire, 'cem', 'approve', 2),
    // A vote that a change makes void, and a place that is handed on.
    votedBy(order, 'ben', 'approve', 1, { seconds: 1.2 }),
    events.editedBy(order, 'ana', 1.5),
    neededOf(order, 2, 1.7),
    events.reassignedBy(order, 'ben', 'sub', 2),
    votedBy(order, 'sub', 'approve', 2, { revision: 2, seconds: 2.3, inPlaceOf: 'ben' }),
    votedBy(order, 'abe', 'approve', 3, { revision: 2, seconds: 2.5 }),
    events.editedBy(excess, 'ana', 1.5),
    votedBy(restart, 'oda', 'approve', 1, { seconds: 1.5 }),
    events.remindedOf(restart, 0, 0.2, 1.9),
    events.escalatedOf(restart, 1, 'lead', 2.1),
    votedBy(restart, 'lea', 'approve', 2, { seconds: 2.5 }),
    ...[wire, refund, order, excess, restart].map(decision),
    ...[wire, refund, order, excess, restart].map((action) => events.closedOf(decision(action))),
    events.executedOf(read, decision(read).id),
    events.commentedBy(order, 'abe', 'Why?'),
    events.loggedOf(events.logged),
  ];
}

const recordOf = (stream: string, messages: Stored[]) =>
  messages.map(({ seq, subject, body, event: one }) => {
    return { index: 0, id: one?.id ?? `config:${seq}`, stream, seq, subject, body };
  });

const ok = (told: Body, status = 200): Told => ({ status, body: told });
const refused = (status: number, error: string): Told => ({ status, body: { error } });

function notesOf(decision: (action: string) => Decided): Note[] {
  return [...notesOfAgent(decision), ...notesOfPeople()];
}

function notesOfAgent(decision: (action: string) => Decided): Note[] {
  const body = (action: string): Body => {
    const { data } = decision(action);
    const ends = data.decision === 'allowed' ? { valid_until: data.valid_until } : {};
    const { decision: said, payload_digest, proof } = data;
    return { action_id: action, decision: said, payload_digest, proof, ...ends };
  };
  const pending = (action: string) => {
    return ok({ action_id: action, decision: 'pending', approval: { deadline: at(6).toISOString() } });
  };
  const usedBefore = { error: 'ALREADY_USED', details: { action_id: read } };
  const changed = { ...body(order), payload: events.payloadAt(order, 2) };
  return [
    note(agent, check(read), { lost: 'TimeoutError' }, 0),
    note(agent, check(read), ok(body(read)), 1),
    note(agent, check(read), ok(body(read)), 2),
    ...[wire, refund, order, excess, restart].map((action) => note(agent, check(action), pending(action), 1)),
    note(agent, check(drop), ok(body(drop)), 1),
    note(agent, { kind: 'answer', action: wire }, ok(body(wire)), 4),
    note(agent, { kind: 'answer', action: refund }, ok(body(refund)), 8),
    note(agent, { kind: 'answer', action: order }, ok(changed), 4),
    note(agent, { kind: 'answer', action: restart }, ok(body(restart)), 4),
    note(agent, { kind: 'execution', action: read }, ok({ action_id: read }, 201), 9),
    note(agent, { kind: 'execution', action: read }, refused(409, 'ALREADY_USED'), 9.5),
    note(agent, check(read), { status: 409, body: usedBefore }, 10),
    note(agent, { kind: 'log' }, ok({ action_id: events.logged }, 201), 11),
    note(agent, { kind: 'log' }, refused(503, 'STORE_FULL'), 11),
  ];
}

/** What people ask, in the words of the API. */
export const asking = {
  vote: (action: string, revision?: number): Asked => {
    const digest = revision === undefined ? {} : { digest: events.digestAt(action, revision) };
    return { kind: 'vote', action, vote: 'approve', ...digest };
  },
  edit: (action: string): Asked => {
    return { kind: 'edit', action, changes: events.changesOf(action), digest: events.digestAt(action, 1) };
  },
  handOn: (action: string, ...to: string[]): Asked => ({ kind: 'reassignment', action, to: to.map(emailOf) }),
};

function notesOfPeople(): Note[] {
  const { vote, edit, handOn } = asking;
  const by = (name: string, asked: Asked, told: Told, seconds: number) =>
    note(emailOf(name), asked, told, seconds);
  const open = (action: string) => ok({ action_id: action, decision: 'pending' });
  const second = { revision: 2, payload_digest: events.digestAt(order, 2) };
  const shown = { ...second, payload: events.payloadAt(order, 2), decision: null };
  return [
    by('tia', vote(wire), open(wire), 2),
    by('cem', vote(wire), { lost: 'ECONNRESET' }, 2),
    by('out', vote(wire), refused(403, 'NOT_ELIGIBLE'), 2),
    by('ben', vote(order, 1), open(order), 1.2),
    by('ana', edit(order), ok({ action_id: order, decision: 'pending', ...second }), 1.5),
    by('abe', edit(order), refused(409, 'STALE_PAYLOAD'), 1.8),
    by('abe', vote(order, 1), refused(409, 'STALE_PAYLOAD'), 1.8),
    by('abe', { kind: 'approval', action: order }, ok(shown), 1.9),
    by('abe', { kind: 'comment', action: order, comment: 'Why?' }, ok({ action_id: order }, 201), 2),
    by('ben', handOn(order, 'sub'), ok({ action_id: order }), 2),
    by('out', handOn(order, 'sue'), refused(403, 'NOT_ELIGIBLE'), 2),
    by('sub', vote(order, 2), open(order), 2.3),
    by('ben', vote(order, 2), refused(403, 'NOT_ELIGIBLE'), 2.4),
    by('abe', vote(order), ok({ action_id: order, decision: 'allowed' }), 2.5),
    by('ana', edit(excess), { lost: 'ECONNRESET' }, 1.5),
    by('oda', vote(restart), open(restart), 1.5),
    by('lea', vote(restart), ok({ action_id: restart, decision: 'allowed' }), 2.5),
  ];
}
