import { randomUUID } from 'node:crypto';
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { type EventOf, historyFilter, type PlacetEvent, subjectFor, type TypesUnder } from '@placet/events';
import { type BusContext, sealHeader } from './context.ts';
import { StoreFull, Unavailable } from './errors.ts';
import { headerOf } from './headers.ts';
import { readSubject } from './history.ts';
import { sleep } from './lifecycle.ts';

export type Appended = { status: 'stored'; seq: number } | { status: 'conflict' };

/**
 * A UUID of version 7 (RFC 9562): it begins with the time, so that an index over ids grows at its end instead of
 * touching a page anywhere for each of them.
 */
export function newId(): string {
  const ms = Date.now().toString(16).padStart(12, '0');
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7${randomUUID().slice(15)}`;
}

export type Bus = ReturnType<typeof createBus>;

export function createBus(context: BusContext) {
  /**
   * Stores an event of an action at the version that its author has seen. Refused means that the action has moved
   * on: read it again and decide again.
   */
  async function append<T extends TypesUnder<'act'>>(
    event: EventOf<T>,
    at: { version: number; number?: number },
  ): Promise<Appended> {
    const subject = subjectFor(event.type, event.data, at.number);
    const { agent, action_id } = event.data as { agent: string; action_id: string };
    return store(subject, event, {
      lastSubjectSequence: at.version,
      lastSubjectSequenceSubject: historyFilter(agent, action_id),
    });
  }

  /** Stores a fact beside an action, or of none, once for its id; a second one under the id is a conflict. */
  async function note<T extends TypesUnder<'note' | 'sys'>>(
    event: EventOf<T>,
    id: string,
  ): Promise<Appended> {
    return store(subjectFor(event.type, event.data, id), event, { lastSubjectSequence: 0 });
  }

  async function store(subject: string, event: PlacetEvent, expect: Expected): Promise<Appended> {
    const body = JSON.stringify(event);
    const appended = await publish(context, subject, body, event.id, expect).catch((error: unknown) => {
      context.metrics.appends.inc({ type: event.type, result: 'failed' });
      throw error;
    });
    context.metrics.appends.inc({ type: event.type, result: appended.status });
    return appended;
  }

  return { append, note };
}

const attemptsMax = 3;

type Expected = { lastSubjectSequence: number; lastSubjectSequenceSubject?: string };

/**
 * An answer that got lost is asked for again under the same message id, and then whoever's event stands on the
 * subject is looked up at the leader: ours means stored.
 */
async function publish(
  context: BusContext,
  subject: string,
  body: string,
  id: string,
  expect: Expected,
): Promise<Appended> {
  const header = publishHeader(context.sealer?.seal(subject, body), id, expect);
  let told: Told;
  for (let attempt = 1; ; attempt++) {
    told = await context.sender.request(subject, body, header).then(toldBy, unknown);
    if (told.said === 'stored') return { status: 'stored', seq: told.seq };
    if (told.said === 'full') throw new StoreFull('the stream is at its cap', { cause: told.cause });
    if (told.said === 'lost') return await whoseIsIt(context, subject, id);
    if (attempt === attemptsMax) break;
    await sleep(told.said === 'in flight' ? 5 * attempt : 50 * attempt);
  }
  // Somebody else's append kept coming first, whether or not it was ever committed: the caller reads and decides again.
  if (told.said === 'in flight') return { status: 'conflict' };
  throw new Unavailable('the broker did not confirm an event', { cause: told.cause });
}

function publishHeader(seal: string | undefined, id: string, expect: Expected): MsgHdrs {
  return headerOf({
    [sealHeader]: seal,
    'Nats-Msg-Id': id,
    'Nats-Expected-Last-Subject-Sequence': String(expect.lastSubjectSequence),
    'Nats-Expected-Last-Subject-Sequence-Subject': expect.lastSubjectSequenceSubject,
  });
}

/** What the broker said of an event that it was to store. */
type Told =
  | { said: 'stored'; seq: number }
  | { said: 'lost' | 'in flight' | 'full' | 'unknown'; cause?: unknown };

const unknown = (cause: unknown): Told => ({ said: 'unknown', cause });

/**
 * The broker's words for a lost race: the version moved (10071), or the subject is taken (10077, which also says that
 * the stream is full), or another message has the id. Losing to an append that is in flight (10164) does not prove
 * that the other was ever stored.
 */
function toldBy(answer: Msg): Told {
  const { seq, duplicate, error } = answer.json<{
    seq?: number;
    duplicate?: boolean;
    error?: { err_code?: number; description?: string };
  }>();
  if (!error) {
    if (duplicate) return { said: 'lost' };
    return seq === undefined ? unknown('an answer without a sequence') : { said: 'stored', seq };
  }
  switch (error.err_code) {
    case 10164:
      return { said: 'in flight', cause: error };
    case 10071:
      return { said: 'lost' };
    case 10077:
      return /per subject/.test(error.description ?? '') ? { said: 'lost' } : { said: 'full', cause: error };
    // 10023: no room on the disk or in the account; nothing was stored.
    case 10023:
    case 10047:
      return { said: 'full', cause: error };
    default:
      return unknown(error);
  }
}

async function whoseIsIt(context: BusContext, subject: string, id: string): Promise<Appended> {
  const stored = await readSubject(context, subject);
  return stored?.header?.get('Nats-Msg-Id') === id
    ? { status: 'stored', seq: stored.seq }
    : { status: 'conflict' };
}
