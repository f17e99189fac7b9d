import type { Jwks } from '@placet/proof';
import {
  backoffMs,
  causeId,
  onReconnect,
  readBatch,
  type ServiceParts,
  type StreamMessage,
  sleep,
} from '@placet/runtime';
import { createFlawAlarms } from './flaw-alarms.ts';
import { recordOf } from './record.ts';
import {
  AuditSequenceConflict,
  type AuditStore,
  type AuditStream,
  appendRecordsMax,
  auditStreams,
  type Head,
  type NewRecord,
} from './store.ts';

const batchMax = 500;
const idleMs = 100;
const standByMs = 1000;
const behindMs = 300;
const behindAttemptsMax = 15;
/** A stream can be made anew without the connection's breaking. */
const verifyEveryMs = 5000;

export type Sequencer = { problem(): string | null };

/**
 * Copies the streams into the record, each message once and in order. How far it is, the record itself says: there is
 * no second position that could disagree with it. Of several instances one writes; the others find their place taken
 * and stand by.
 */
export function startSequencer(
  { context, alarm, resources }: Pick<ServiceParts, 'context' | 'alarm' | 'resources'>,
  store: AuditStore,
  trusted: Jwks,
): Sequencer {
  const stopping = new AbortController();
  const tellFlaws = createFlawAlarms(alarm);
  let problem: string | null = null;
  let verifiedAt = 0;
  /** The record's end as it was when nothing had come since: while nothing comes the store need not be asked. */
  let known: Head | null = null;
  onReconnect(context, () => {
    verifiedAt = 0;
  });

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await sleep(await step(), stopping.signal);
        failures = 0;
        problem = null;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        if (error instanceof AuditSequenceConflict) await conflicting(error);
        context.logger.warn({ err: error }, 'the record could not be written; trying again');
        await sleep(backoffMs(failures++), stopping.signal);
      }
    }
  }

  /** Records what is there, and answers how long to wait before the next look. */
  async function step(): Promise<number> {
    const isToVerify = Date.now() - verifiedAt > verifyEveryMs;
    const head = known === null || isToVerify ? await store.head() : known;
    if (isToVerify) await verify(head);
    known = null;
    const batches = await Promise.all(auditStreams.map((stream) => read(stream, head)));
    context.metrics.auditLag.set(batches.reduce((sum, batch) => sum + (batch.at(-1)?.pending ?? 0), 0));
    const now = new Date();
    const found = auditStreams.flatMap((stream, i) =>
      (batches[i] ?? []).map((m) => toRecord(stream, m, now)),
    );
    if (found.length === 0) {
      known = head;
      return idleMs;
    }
    const records = found.slice(0, appendRecordsMax);
    // Before they are recorded, so that a crash in between repeats the alarm, which is one event all the same.
    await tellFlaws(records);
    const appended = await store.append(records, head.size);
    if (appended.outcome === 'fenced') return standByMs;
    const isMore =
      found.length > appendRecordsMax || batches.some((batch) => (batch.at(-1)?.pending ?? 0) > 0);
    return isMore ? 0 : idleMs;
  }

  /**
   * A stream that was put back to an earlier state would give out sequences again that the record already has. So
   * after each start, whenever the broker was away, and every few seconds, the record's last message has to stand where it stood.
   */
  async function verify(head: Head): Promise<void> {
    for (const stream of auditStreams) {
      const seq = head.positions[stream];
      if (seq === 0) continue;
      const { state } = await context.jsm.streams.info(stream);
      if (state.last_seq < seq) {
        throw new AuditSequenceConflict(`${stream} ends at ${state.last_seq}, and ${seq} is on the record.`);
      }
      if (state.first_seq > seq) continue;
      const message = await messageAt(stream, seq);
      // What is recorded already is compared, and not stored again.
      await store.append([toRecord(stream, message, new Date())], head.size);
    }
    verifiedAt = Date.now();
  }

  /** The node that answers may be behind for a while; what it never gets to hold is not there. */
  async function messageAt(stream: AuditStream, seq: number): Promise<StreamMessage> {
    for (let attempt = 0; attempt < behindAttemptsMax; attempt++) {
      const [message] = (await readBatch(context, stream, seq, 1)).messages;
      if (message?.seq === seq) return message;
      await sleep(behindMs, stopping.signal);
    }
    throw new AuditSequenceConflict(`${stream} does not hold ${seq}, which is on the record.`);
  }

  async function read(stream: AuditStream, head: Head): Promise<StreamMessage[]> {
    let next = head.positions[stream] + 1;
    const { messages } = await readBatch(context, stream, next, batchMax);
    for (const { seq } of messages) {
      if (seq > next) await missed(stream, next, seq - 1);
      next = seq + 1;
    }
    return messages;
  }

  /** The stream forgets after its retention: what was not recorded by then is gone, and that is never kept quiet. */
  async function missed(stream: AuditStream, after: number, to: number): Promise<void> {
    // Another one may have recorded them since, and the stream have let go of them.
    const from = Math.max(after, (await store.head()).positions[stream] + 1);
    if (from > to) return;
    await alarm({
      kind: 'events_missed',
      about: causeId(stream, from, to),
      message: `The stream ${stream} no longer holds ${from} to ${to}, which are not on the record.`,
      details: { stream, from: String(from), to: String(to) },
    });
  }

  /** The streams are not those that the record was made of: to go on would lose facts, so nothing is written. */
  async function conflicting(error: AuditSequenceConflict): Promise<void> {
    const { message } = error;
    await alarm({ kind: 'record_conflict', about: causeId(message), message });
  }

  function toRecord(stream: AuditStream, message: StreamMessage, now: Date): NewRecord {
    const { seq, subject, data, time, seal = null } = message;
    return recordOf({ stream, seq, subject, body: data, seal, time }, { now, trusted });
  }

  const running = run();
  resources.add('sequencer', async () => {
    stopping.abort();
    await running;
  });
  return { problem: () => problem };
}
