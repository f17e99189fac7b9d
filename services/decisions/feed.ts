import { isDeepStrictEqual } from 'node:util';
import {
  type EventType,
  emitsUnsealed,
  eventStream,
  liveSubject,
  parseEvent,
  parseSubject,
  typeFilter,
} from '@placet/events';
import {
  backoffMs,
  createForgedAlarms,
  newId,
  onReconnect,
  readBatch,
  readStored,
  type ServiceParts,
  type StreamMessage,
  sleep,
  streamIdentity,
} from '@placet/runtime';
import type { ForgedMessage, OutcomeStore, Position, StoredEvent } from './store.ts';

const batchMax = 500;
/** Events that arrive together are stored together; people's are read at once. */
const idleMs = 50;
const standByMs = 1000;
const leadMs = 4000;
/** How long whoever leads may read nothing while there is something to be read. */
const idleMaxMs = 20_000;
/** A stream can be made anew without the connection's breaking. */
const identifyEveryMs = 5000;

/**
 * A stream that was made anew gives out its sequences once more. What it holds comes after all that the store has seen
 * of the one before it, so the store counts on: no stream reaches this many.
 */
const streamSize = 2 ** 42;

/** Where in the stream of now a position is, and what the store counted before that stream began. */
function placeIn({ seq }: Position): { before: number; seq: number } {
  return { before: seq - (seq % streamSize), seq: seq % streamSize };
}

export type Feed = { problem(): string | null };

/**
 * Copies the stream into the store. How far it is, the store itself says, so that nobody who drains, pauses or deletes
 * a consumer can hide an action from the clock. Of several instances one reads for all; the others stand by.
 */
export function startFeed(parts: ServiceParts, store: OutcomeStore): Feed {
  const { context, alarm, resources } = parts;
  const tellForged = createForgedAlarms(alarm);
  const stopping = new AbortController();
  const holder = newId();
  let leadUntil = 0;
  let idle: { seq: number; since: number } | null = null;
  /** Where we were: while nothing comes the store need not be asked. It is never further than the store is. */
  let at: Position | null = null;
  let identity: string | null = null;
  let identifiedAt = 0;
  let problem: string | null = null;
  let wake = () => {};
  onReconnect(context, () => {
    identity = null;
  });
  for (const type of ['approval.needed', 'approval.voted'] as const) {
    const subscription = context.nc.subscribe(liveSubject(typeFilter(type)), { callback: () => wake() });
    resources.add(`live ${type}`, () => subscription.unsubscribe());
  }

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await restFor(await step());
        failures = 0;
        problem = null;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        context.logger.warn({ err: error }, 'the store of outcomes could not be filled; trying again');
        await sleep(backoffMs(failures++), stopping.signal);
      }
    }
  }

  /** Stores what is there, and answers how long to wait before the next look. */
  async function step(): Promise<number> {
    if (!(await isLeading())) {
      await expectSomebodyReads();
      return standByMs;
    }
    idle = null;
    const isRemembered = at !== null;
    const position = await whereToGoOn();
    const { before, seq } = placeIn(position);
    const { messages, isMore } = await readBatch(context, eventStream, seq + 1, batchMax);
    const last = messages.at(-1);
    if (!last) return idleMs;
    // Others may have led since, or somebody has emptied the store.
    if (isRemembered && !isDeepStrictEqual(await store.position(), position)) {
      at = null;
      return 0;
    }
    const read = await Promise.all(messages.map((message) => readMessage(message, before + message.seq)));
    const next = { ...position, seq: before + last.seq };
    await store.apply(
      read.filter((message) => message !== null),
      next,
    );
    at = next;
    return isMore ? 0 : idleMs;
  }

  /** Who stands by looks whether the one who leads goes on: a lease can be held by nobody who works. */
  async function expectSomebodyReads(): Promise<void> {
    const seq = (await store.position())?.seq ?? 0;
    const { lastSeq } = await streamIdentity(context, eventStream);
    const isBehind = placeIn({ stream: '', seq }).seq < lastSeq;
    if (!isBehind || idle?.seq !== seq) idle = { seq, since: Date.now() };
    if (Date.now() - idle.since > idleMaxMs) throw new Error('whoever leads does not read the stream');
  }

  async function isLeading(): Promise<boolean> {
    const now = Date.now();
    if (now < leadUntil - leadMs / 2) return true;
    const leads = await store.lead(holder, new Date(now), leadMs);
    leadUntil = leads ? now + leadMs : 0;
    return leads;
  }

  /** A stream that is not the one that was read, or was put back to an earlier state, is read from its beginning. */
  async function whereToGoOn(): Promise<Position> {
    const isFresh = Date.now() - identifiedAt < identifyEveryMs;
    if (at !== null && at.stream === identity && isFresh) return at;
    at = await store.position();
    const known = at;
    if (known !== null && known.stream === identity && isFresh) return known;
    const { created, lastSeq } = await streamIdentity(context, eventStream);
    identifiedAt = Date.now();
    const isSame = known?.stream.split('#')[0] === created;
    if (isSame && placeIn(known).seq <= lastSeq) {
      identity = known.stream;
      return known;
    }
    context.logger.info('the store of outcomes is filled from the beginning of the stream');
    // Put back, it is another stream by the same name and birth.
    identity = isSame ? `${created}#${newId()}` : created;
    const start = { stream: identity, seq: known === null ? 0 : placeIn(known).before + streamSize };
    await store.apply([], start);
    at = start;
    return start;
  }

  async function readMessage(
    message: StreamMessage,
    seq: number,
  ): Promise<StoredEvent | ForgedMessage | null> {
    const { subject, data, time, seal } = message;
    const event = readStored(context, subject, data, seal);
    if (event) return { seq, event };
    const place = parseSubject(subject);
    if (place && isOfUnsealed(subject, place.type, data)) return null;
    await tellForged([{ seq: message.seq, subject }]);
    if (!place || place.root === 'sys') return null;
    const isDecision = place.type === 'action.decided';
    return { seq, forged: { agent: place.agent, actionId: place.action, isDecision }, at: time };
  }

  function restFor(ms: number): Promise<void> {
    const rest = new AbortController();
    wake = () => rest.abort();
    return sleep(ms, AbortSignal.any([rest.signal, stopping.signal]));
  }

  const running = run();
  resources.add('feed', async () => {
    stopping.abort();
    await running;
  });
  return { problem: () => problem };
}

/** The notifier and the audit service hold no key; what they may write says only that it was they. */
function isOfUnsealed(subject: string, type: EventType, data: Uint8Array): boolean {
  const parsed = parseEvent(subject, new TextDecoder().decode(data));
  return parsed.ok && emitsUnsealed(type, parsed.event.source);
}
