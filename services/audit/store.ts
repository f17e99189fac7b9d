import { configStream, eventStream, type Flaw } from '@placet/events';

export const auditStreams = [eventStream, configStream] as const;
export type AuditStream = (typeof auditStreams)[number];

export type AuditRecord = {
  /** Dense, from 0, without gaps: the record's leaf in the Merkle log. */
  index: number;
  id: string;
  stream: AuditStream;
  seq: number;
  subject: string;
  type: string;
  /** ISO 8601 in UTC with milliseconds, so that it sorts as text. */
  time: string;
  recordedAt: string;
  agent: string | null;
  action: string | null;
  case: string | null;
  /** The exact text of the message: the truth. */
  body: string;
  /** As it came with the message. Who holds no key cannot check it, and keeps it for who does. */
  seal: string | null;
  /** What was found to be false when the message was recorded. */
  flaw: Flaw | null;
};
export type NewRecord = Omit<AuditRecord, 'index'>;

/** `from` is inclusive, `until` exclusive; `after` is the index of the last record of the page before. */
export type AuditQuery = {
  from?: string;
  until?: string;
  agent?: string;
  action?: string;
  case?: string;
  type?: string;
  /** Only records with a flaw. */
  flawed?: true;
  after?: number;
  /** The latest record first, and `after` goes back from there. */
  newest?: true;
  limit: number;
};

export type Head = { size: number; positions: Record<AuditStream, number> };
export type Appended = { outcome: 'stored'; size: number } | { outcome: 'fenced' };
export type Page = { records: AuditRecord[]; next: number | null };

export interface AuditStore {
  /** How many records there are, and of each stream the last sequence recorded (0 if none). */
  head(): Promise<Head>;

  /**
   * Stores what is new of these records, in order, at `expectedSize` and following. Give each stream's records in the
   * order of the stream, or the positions of `head` would pass over some.
   *
   * A message is its stream and sequence: recorded already, it is skipped. An id that another message has taken is
   * stored as `<id>#<stream>:<seq>`. `stored` answers the size afterwards; when nothing was new, whatever
   * `expectedSize` said. `fenced` says that another sequencer was there: read `head` again, and stand by or try again.
   * A prefix may then be stored, as it may when this throws or the process ends in the middle.
   */
  append(records: NewRecord[], expectedSize: number): Promise<Appended>;

  /** In the order of the index, or the other way round. `next` is the `after` of the next page, null at the end. */
  query(query: AuditQuery): Promise<Page>;

  close(): Promise<void>;
}

export const appendRecordsMax = 500;
export const queryRecordsMax = 500;

/** The stream is not the one that was recorded: it was made anew, or restored from an older backup. */
export class AuditSequenceConflict extends Error {
  readonly code = 'AUDIT_SEQUENCE_CONFLICT';
  constructor(what: string) {
    super(
      `${what} The stream is not the one that was recorded: reconcile it with the record before going on.`,
    );
  }
}

type Place = Pick<AuditRecord, 'stream' | 'seq' | 'id'>;

export function conflictAt({ stream, seq, id }: Place, recordedId: string): AuditSequenceConflict {
  return new AuditSequenceConflict(`${stream}:${seq} is recorded as ${recordedId} and now holds ${id}.`);
}

export type Recorded = Pick<AuditRecord, 'id' | 'stream' | 'seq' | 'subject' | 'body'>;

/**
 * What of a batch is new, each with the id to store it under. `recorded` holds the stored records that have an id or
 * a place (stream and sequence) of the batch. No id given to a store has a "#" (see record.ts), so one that a store
 * makes is that message's own.
 */
export function planAppend(records: NewRecord[], recorded: Recorded[]): NewRecord[] {
  const byPlace = new Map(recorded.map((record) => [placeOf(record), record]));
  const ids = new Set(recorded.map((record) => record.id));
  const fresh: NewRecord[] = [];
  for (const record of records) {
    const place = placeOf(record);
    const known = byPlace.get(place);
    if (known) {
      if (!sameMessage(known, record)) throw conflictAt(record, known.id);
      continue;
    }
    const planned = ids.has(record.id) ? { ...record, id: `${record.id}#${place}` } : record;
    byPlace.set(place, planned);
    ids.add(planned.id);
    fresh.push(planned);
  }
  return fresh;
}

function placeOf(record: Pick<AuditRecord, 'stream' | 'seq'>): string {
  return `${record.stream}:${record.seq}`;
}

function sameMessage(a: Recorded, b: Recorded): boolean {
  return a.subject === b.subject && a.body === b.body;
}

export function checkAppend(records: NewRecord[], expectedSize: number): void {
  if (records.length > appendRecordsMax) {
    throw new RangeError(
      `at most ${appendRecordsMax} records can be appended at once, not ${records.length}`,
    );
  }
  if (!Number.isSafeInteger(expectedSize) || expectedSize < 0) {
    throw new RangeError(`the expected size is a whole number from 0, not ${expectedSize}`);
  }
  for (const { id } of records) {
    if (id === '' || id.includes('#')) throw new TypeError(`"${id}" cannot be the id of a record`);
  }
}

/** The query with its instants in the form of the records' times. */
export function checkQuery(query: AuditQuery): AuditQuery {
  const { limit, after, from, until } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > queryRecordsMax) {
    throw new RangeError(`limit is a whole number from 1 to ${queryRecordsMax}, not ${limit}`);
  }
  if (after !== undefined && !Number.isSafeInteger(after)) {
    throw new RangeError(`after is the index of a record, not ${after}`);
  }
  return {
    ...query,
    ...(from === undefined ? {} : { from: instant(from) }),
    ...(until === undefined ? {} : { until: instant(until) }),
  };
}

function instant(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new RangeError(`"${text}" is not an ISO 8601 time`);
  return time.toISOString();
}

/** A page out of up to `limit + 1` records: the one more says that there is a next page. */
export function pageOf(found: AuditRecord[], limit: number): Page {
  const records = found.slice(0, limit);
  return { records, next: found.length > limit ? (records.at(-1)?.index ?? null) : null };
}
