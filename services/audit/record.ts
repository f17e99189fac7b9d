import { configBuckets, configStream, type EventProblem, parseEvent, parseSubject } from '@placet/events';
import type { Jwks } from '@placet/proof';
import { configurationFlaw, eventFlaw } from './flaw.ts';
import type { AuditStream, NewRecord } from './store.ts';

/** A message as it lies in a stream. `time` is when the stream stored it. */
export type StoredMessage = {
  stream: AuditStream;
  seq: number;
  subject: string;
  body: string | Uint8Array;
  /** The header `Placet-Seal`. */
  seal: string | null;
  time: Date;
};

/** When it is recorded, and whose proofs are believed. */
export type Recording = { now: Date; trusted: Jwks };

const keyValueRoot = '$KV.';
const binaryMark = 'base64:';
const sealCharsMax = 200;

/** Every message becomes a record, a forged or broken one too: what is not readable is kept as it came. */
export function recordOf(message: StoredMessage, recording: Recording): NewRecord {
  const read = { ...message, body: textOf(message.body) };
  return configurationRecord(read, recording) ?? eventRecord(read, recording);
}

type ReadMessage = StoredMessage & { body: string };

function eventRecord(message: ReadMessage, { now, trusted }: Recording): NewRecord {
  const place = parseSubject(message.subject);
  const parsed = parseEvent(message.subject, message.body);
  if (!parsed.ok) return unreadableRecord(message, now, parsed.code);
  if (!place || !canBeId(parsed.event.id)) return unreadableRecord(message, now, 'not_an_event');
  const { id, type, time, data } = parsed.event;
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return unreadableRecord(message, now, 'not_an_event');
  return {
    ...common(message, now),
    id,
    type,
    time: at.toISOString(),
    ...(place.root === 'sys' ? concerned(data) : { agent: place.agent, action: place.action }),
    case: caseOf(data),
    flaw: eventFlaw(parsed.event, message.seal, trusted),
  };
}

/** An alarm belongs to no action by its subject, but is looked for by the one that it is about. */
function concerned(data: object): { agent: string | null; action: string | null } {
  const { agent = null, action_id: action = null } =
    'details' in data ? (data.details as Record<string, string>) : {};
  return { agent, action };
}

function configurationRecord(message: ReadMessage, { now }: Recording): NewRecord | null {
  const { stream, seq, subject, time } = message;
  if (stream !== configStream || !subject.startsWith(keyValueRoot)) return null;
  const [bucket, ...tokens] = subject.slice(keyValueRoot.length).split('.');
  const key = tokens.join('.');
  const id = `config:${bucket}:${key}:${seq}`;
  if (!bucket || key === '' || !canBeId(id)) return null;
  return {
    ...common(message, now),
    id,
    type: 'config.changed',
    time: time.toISOString(),
    agent: bucket === configBuckets.agents ? key : null,
    action: null,
    case: null,
    flaw: configurationFlaw(message.body),
  };
}

function unreadableRecord(message: ReadMessage, now: Date, flaw: EventProblem): NewRecord {
  const place = parseSubject(message.subject);
  return {
    ...common(message, now),
    id: `unreadable:${message.stream}:${message.seq}`,
    type: 'unreadable',
    time: message.time.toISOString(),
    agent: place && place.root !== 'sys' ? place.agent : null,
    action: place && place.root !== 'sys' ? place.action : null,
    case: null,
    flaw,
  };
}

function common({ stream, seq, subject, body, seal }: ReadMessage, now: Date) {
  return { stream, seq, subject, recordedAt: now.toISOString(), body, seal: sealOf(seal) };
}

function sealOf(seal: string | null): string | null {
  return seal?.toWellFormed().slice(0, sealCharsMax) ?? null;
}

/** Stores set a "#" in the ids that they make; and text that is not well-formed would not come back as it went in. */
function canBeId(id: string): boolean {
  return !id.includes('#') && id.isWellFormed();
}

function caseOf(data: object): string | null {
  const value = 'case' in data ? data.case : null;
  return typeof value === 'string' && value.isWellFormed() ? value : null;
}

const exact = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The body's text, exact to the byte. What is not UTF-8, or begins like our mark, is marked and in base64. */
function textOf(body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  try {
    const text = exact.decode(bytes);
    if (!text.startsWith(binaryMark)) return text;
  } catch {
    // Not UTF-8.
  }
  return binaryMark + Buffer.from(bytes).toString('base64');
}
