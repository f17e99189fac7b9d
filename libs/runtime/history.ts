import type { StoredMsg } from '@nats-io/jetstream';
import {
  anyAgentsFilters,
  type EventOf,
  type EventType,
  eventStream,
  historyFilter,
  holdsSeal,
  noteFilter,
  type PlacetEvent,
  parseEvent,
} from '@placet/events';
import { type BusContext, sealHeader, sealHolds } from './context.ts';
import { readDirect, type StreamMessage } from './direct.ts';
import { Unavailable } from './errors.ts';
import { sleep } from './lifecycle.ts';

export type StoredEvent = { seq: number; event: PlacetEvent };

/** All that the stream holds of one action. `forged` are messages whose seal or form is wrong: nobody acts on them. */
export type History = { version: number; events: StoredEvent[]; forged: { seq: number; subject: string }[] };

type Message = Pick<StreamMessage, 'seq' | 'subject' | 'data' | 'seal'>;

function sealedMessage({ seq, subject, data, header }: StoredMsg): Message {
  return { seq, subject, data, seal: header?.get(sealHeader) };
}

const filters = (agent: string, action: string) => [
  historyFilter(agent, action),
  noteFilter('action.executed', agent, action),
];

/** One call, answered by any node: it may be behind. Ask the leader before saying that something is not there. */
export async function readHistory(context: BusContext, agent: string, action: string): Promise<History> {
  return historyOf(context, await lastMessages(context, filters(agent, action)));
}

/** The history of an action whose agent is not known, or null when the leader has none. */
export async function findHistory(
  context: BusContext,
  action: string,
): Promise<{ agent: string; history: History } | null> {
  const near = await lastMessages(context, anyAgentsFilters(action));
  const found = near.length > 0 ? near : await messagesAtLeader(context, anyAgentsFilters(action));
  // Whoever reached the broker can put a message under another agent: it is the one that carries our seal who asked.
  const believed = found.find((message) => readMessage(context, message));
  const agent = agentOf(believed) ?? found.map(agentOf).find((name) => name !== undefined);
  if (agent === undefined) return null;
  return {
    agent,
    history: historyOf(
      context,
      found.filter((message) => agentOf(message) === agent),
    ),
  };
}

/** As its subject says, whatever else it is. */
function agentOf(message: Message | undefined): string | undefined {
  return message?.subject.split('.')[2];
}

async function lastMessages(context: BusContext, multi_last: string[]): Promise<Message[]> {
  try {
    return await readDirect(context, eventStream, { multi_last });
  } catch (error) {
    throw new Unavailable('the history of an action cannot be read', { cause: error });
  }
}

/** What the leader holds now: for decisions after a lost race, and before an answer that something is not there. */
export async function readHistoryFromLeader(
  context: BusContext,
  agent: string,
  action: string,
): Promise<History> {
  return historyOf(context, await messagesAtLeader(context, filters(agent, action)));
}

/** While nobody leads, what a node has has to do. */
const leaderWithinMs = 1000;

/**
 * A decision that somebody was told of is seen by whoever asks then: before it is said that there is none, the leader
 * is asked. Null when nobody leads now.
 */
export async function confirmedHistory(
  context: BusContext,
  agent: string,
  action: string,
): Promise<History | null> {
  return Promise.race([
    readHistoryFromLeader(context, agent, action).catch(() => null),
    sleep(leaderWithinMs).then(() => null),
  ]);
}

async function messagesAtLeader(context: BusContext, subjects: string[]): Promise<Message[]> {
  const found: Message[] = [];
  try {
    for (const filter of subjects) {
      for (let seq = 1; ; ) {
        const query = { seq, next_by_subj: filter };
        const next = await context.jsm.streams.getMessage(eventStream, query);
        if (!next) break;
        found.push(sealedMessage(next));
        seq = next.seq + 1;
      }
    }
  } catch (error) {
    throw new Unavailable('the history of an action cannot be read', { cause: error });
  }
  return found;
}

function historyOf(context: BusContext, found: Message[]): History {
  const history: History = { version: 0, events: [], forged: [] };
  let request: EventOf<'action.requested'> | undefined;
  for (const message of found.sort((a, b) => a.seq - b.seq)) {
    const stored = readMessage(context, message);
    if (message.subject.startsWith('placet.act.')) history.version = message.seq;
    if (stored?.type === 'action.requested') request = stored;
    if (stored && belongsTo(request, stored)) history.events.push({ seq: message.seq, event: stored });
    else history.forged.push({ seq: message.seq, subject: message.subject });
  }
  return history;
}

/**
 * An event that we did write, about another request under the same id, is as good as forged: somebody put it there.
 * Where the request has left the stream there is nothing to compare with, and nothing is allowed either.
 */
function belongsTo(request: EventOf<'action.requested'> | undefined, event: PlacetEvent): boolean {
  if (!request) return true;
  switch (event.type) {
    case 'approval.needed':
      return event.data.request_event === request.id && event.data.action_name === request.data.action_name;
    case 'action.decided':
      return (
        event.data.request_event === request.id &&
        event.data.action_name === request.data.action_name &&
        event.data.payload_digest === request.data.payload_digest
      );
    default:
      return true;
  }
}

function readMessage(context: BusContext, { subject, data, seal }: Message): PlacetEvent | null {
  return readStored(context, subject, data, seal);
}

/** The event of a message, or null when its seal or its form is wrong. */
export function readStored(
  context: Pick<BusContext, 'sealer'>,
  subject: string,
  data: Uint8Array,
  seal: string | undefined,
): PlacetEvent | null {
  if (!sealHolds(context, subject, data, seal || undefined)) return null;
  const parsed = parseEvent(subject, new TextDecoder().decode(data));
  return parsed.ok ? parsed.event : null;
}

/** The note under a subject; null when there is none that we wrote. */
export async function readNote(context: BusContext, subject: string): Promise<PlacetEvent | null> {
  const message = await readSubject(context, subject);
  return message && readMessage(context, sealedMessage(message));
}

const patienceMs = [20, 100, 400];

/**
 * What stands under a subject, as the leader holds it. A service without a seal key may not ask the leader: it asks
 * any node, and asks again when there is nothing, because that node may be behind.
 */
export async function readSubject(
  { jsm, service }: Pick<BusContext, 'jsm' | 'service'>,
  subject: string,
): Promise<StoredMsg | null> {
  const query = { last_by_subj: subject };
  try {
    if (holdsSeal(service)) return await jsm.streams.getMessage(eventStream, query);
    for (const waitMs of patienceMs) {
      const found = await jsm.direct.getMessage(eventStream, query);
      if (found) return found;
      await sleep(waitMs);
    }
    return await jsm.direct.getMessage(eventStream, query);
  } catch (error) {
    throw new Unavailable('an event cannot be read', { cause: error });
  }
}

export function eventIn<T extends EventType>(history: History, type: T): EventOf<T> | undefined {
  return history.events.find(({ event }) => event.type === type)?.event as EventOf<T> | undefined;
}
