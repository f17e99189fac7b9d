import type { StoredMsg } from '@nats-io/jetstream';
import {
  anyAgentsFilters,
  type EventOf,
  type EventType,
  eventStream,
  historyFilter,
  holdsSeal,
  isOfType,
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

const filters = (agent: string, action: string, notes: readonly EventType[] = ['action.executed']) => [
  historyFilter(agent, action),
  ...notes.map((type) => noteFilter(type, agent, action)),
];

/** One call, answered by any node: it may be behind. Ask the leader before saying that something is not there. */
export async function readHistory(context: BusContext, agent: string, action: string): Promise<History> {
  return historyOf(context, await lastMessages(context, filters(agent, action)));
}

/** In one request so many: a page of a list is not read in as many requests as it has items. */
const together = 20;

type Wanted = readonly { agent: string; actionId: string }[];

/** The histories of several actions with some of their notes, each as some node has it; in their order. */
export async function readHistories(
  context: BusContext,
  actions: Wanted,
  notes: readonly EventType[] = ['action.executed'],
): Promise<History[]> {
  const groups = Array.from({ length: Math.ceil(actions.length / together) }, (_, n) =>
    actions.slice(n * together, (n + 1) * together),
  );
  return (await Promise.all(groups.map((group) => readGroup(context, group, notes)))).flat();
}

async function readGroup(
  context: BusContext,
  group: Wanted,
  notes: readonly EventType[],
): Promise<History[]> {
  const one = ({ agent, actionId }: Wanted[number]) => filters(agent, actionId, notes);
  // Long histories may be more than a node answers in one go.
  const found = await lastMessages(context, group.flatMap(one)).catch(() => null);
  if (!found) {
    return Promise.all(group.map(async (each) => historyOf(context, await lastMessages(context, one(each)))));
  }
  const byAction = Map.groupBy(found, ({ subject }) => subject.split('.').slice(2, 4).join('.'));
  return group.map(({ agent, actionId }) => historyOf(context, byAction.get(`${agent}.${actionId}`) ?? []));
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
  const line: Line = { request: undefined, revision: 1, digests: [] };
  for (const message of found.sort((a, b) => a.seq - b.seq)) {
    const stored = readMessage(context, message);
    if (message.subject.startsWith('placet.act.')) history.version = message.seq;
    if (stored && belongsTo(line, stored)) history.events.push({ seq: message.seq, event: stored });
    else history.forged.push({ seq: message.seq, subject: message.subject });
  }
  return history;
}

/** What the events of an action have said so far, and the later ones have to agree with. */
type Line = {
  request: EventOf<'action.requested'> | undefined;
  revision: number;
  /** Of the payload, as it was and as people have changed it. */
  digests: string[];
};

/**
 * An event that we did write, about another request under the same id, or about another payload, is as good as forged:
 * somebody put it there. Where the request has left the stream there is nothing to compare with, and nothing is
 * allowed either.
 */
function belongsTo(line: Line, event: PlacetEvent): boolean {
  if (event.type === 'action.requested') {
    Object.assign(line, { request: event, revision: 1, digests: [event.data.payload_digest] });
    return true;
  }
  const { request, revision, digests } = line;
  if (!request) return true;
  const isCurrent = (digest: string) => digest === digests.at(-1);
  const isOfRequest = (data: { request_event: string; action_name: string }) =>
    data.request_event === request.id && data.action_name === request.data.action_name;
  switch (event.type) {
    case 'approval.needed':
      return (
        isOfRequest(event.data) && event.data.revision === revision && isCurrent(event.data.payload_digest)
      );
    case 'approval.voted':
      return isCurrent(event.data.payload_digest);
    case 'approval.edited': {
      const { previous_digest, payload_digest } = event.data;
      if (event.data.revision !== revision + 1 || !isCurrent(previous_digest)) return false;
      Object.assign(line, { revision: revision + 1, digests: [...digests, payload_digest] });
      return true;
    }
    case 'action.decided': {
      const { decision, payload_digest } = event.data;
      // What is allowed is the payload as it is now; what is denied may be one that was not judged yet.
      const isItsPayload =
        decision === 'allowed' ? isCurrent(payload_digest) : digests.includes(payload_digest);
      return isOfRequest(event.data) && isItsPayload;
    }
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
  return history.events.map(({ event }) => event).find(isOfType(type));
}
