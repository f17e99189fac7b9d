import { randomUUID } from 'node:crypto';
import { JetStreamApiError } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import {
  type EventOf,
  eventStream,
  historyFilter,
  type PlacetEvent,
  type Service,
  subjectFor,
  type TypesUnder,
} from '@placet/events';
import type { Sealer } from '@placet/proof';
import type { Nats } from './connection.ts';
import { StoreFull, Unavailable } from './errors.ts';
import { sleep } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export const sealHeader = 'Placet-Seal';

/** What every part of a service that touches the broker is given. `sealer` is null where a service holds no key. */
export type BusContext = Nats & {
  service: Service;
  sealer: Sealer | null;
  logger: Logger;
  metrics: Metrics;
};

export type Appended = { status: 'stored'; seq: number } | { status: 'conflict' };

export function newId(): string {
  return randomUUID();
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

  async function store(
    subject: string,
    event: PlacetEvent,
    expect: { lastSubjectSequence: number; lastSubjectSequenceSubject?: string },
  ): Promise<Appended> {
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

/**
 * An answer that got lost is asked for again under the same message id, and then whoever's event stands on the
 * subject is looked up at the leader: ours means stored.
 */
async function publish(
  context: BusContext,
  subject: string,
  body: string,
  id: string,
  expect: { lastSubjectSequence: number; lastSubjectSequenceSubject?: string },
): Promise<Appended> {
  let cause: unknown;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    try {
      const ack = await context.js.publish(subject, body, {
        msgID: id,
        expect,
        headers: sealed(context.sealer, subject, body),
        timeout: 1500,
      });
      if (!ack.duplicate) return { status: 'stored', seq: ack.seq };
      return await whoseIsIt(context, subject, id);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'full') throw new StoreFull('the stream is at its cap', { cause: error });
      if (refusal === 'lost') return await whoseIsIt(context, subject, id);
      cause = error;
      if (attempt < attemptsMax) await sleep(refusal === 'in flight' ? 5 * attempt : 50 * attempt);
    }
  }
  // Somebody else's append kept coming first, whether or not it was ever committed: the caller reads and decides again.
  if (refusalOf(cause) === 'in flight') return { status: 'conflict' };
  throw new Unavailable('the broker did not confirm an event', { cause });
}

function sealed(sealer: Sealer | null, subject: string, body: string): MsgHdrs {
  const h = headers();
  if (sealer) h.set(sealHeader, sealer.seal(subject, body));
  return h;
}

/**
 * The broker's words for a lost race: the version moved (10071), or the subject is taken (10077, which also says that
 * the stream is full). Losing to an append that is in flight (10164) does not prove that the other was ever stored.
 */
function refusalOf(error: unknown): 'lost' | 'in flight' | 'full' | 'unknown' {
  if (!(error instanceof JetStreamApiError)) return 'unknown';
  if (error.code === 10164) return 'in flight';
  if (error.code === 10071) return 'lost';
  if (error.code === 10077) return /per subject/.test(error.message) ? 'lost' : 'full';
  // 10023: no room on the disk or in the account; nothing was stored.
  if (error.code === 10023 || error.code === 10047) return 'full';
  return 'unknown';
}

async function whoseIsIt(context: BusContext, subject: string, id: string): Promise<Appended> {
  const stored = await context.jsm.streams
    .getMessage(eventStream, { last_by_subj: subject })
    .catch((cause: unknown) => {
      throw new Unavailable('whether an event was stored cannot be read', { cause });
    });
  return stored?.header?.get('Nats-Msg-Id') === id
    ? { status: 'stored', seq: stored.seq }
    : { status: 'conflict' };
}

/** True where the reader holds no key: it then checks proofs, not seals. */
export function sealHolds(
  context: Pick<BusContext, 'sealer'>,
  subject: string,
  body: Uint8Array | string,
  seal: string | undefined,
): boolean {
  return context.sealer === null || context.sealer.check(subject, body, seal);
}
