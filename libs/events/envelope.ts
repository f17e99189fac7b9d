import * as z from 'zod';
import { catalogue, type EventData, type EventType, entryOf, isEventType } from './catalogue.ts';
import { Instant, type Service } from './names.ts';
import { parseSubject } from './subjects.ts';

/** A CloudEvents 1.0 event. `id` is also the message id on the stream. */
export type EventOf<T extends EventType> = T extends EventType
  ? {
      specversion: '1.0';
      id: string;
      source: string;
      type: T;
      subject: string;
      time: string;
      datacontenttype: 'application/json';
      data: EventData<T>;
    }
  : never;
export type PlacetEvent = EventOf<EventType>;

/** Whether an event is of this type, for who looks for one. */
export function isOfType<T extends EventType>(type: T) {
  return (event: PlacetEvent): event is PlacetEvent & EventOf<T> => event.type === type;
}

export const Envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(200),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: Instant,
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
});

export function makeEvent<T extends EventType>(
  type: T,
  from: { service: Service; id: string; now: Date; data: EventData<T> },
): EventOf<T> {
  return {
    specversion: '1.0',
    id: from.id,
    source: `placet/${from.service}`,
    type,
    subject: subjectAttribute(from.data),
    time: from.now.toISOString(),
    datacontenttype: 'application/json',
    data: from.data,
  } as EventOf<T>;
}

function subjectAttribute(data: object): string {
  if ('action_id' in data) return String(data.action_id);
  if ('grant' in data) return String(data.grant);
  return 'placet';
}

/** `not_an_event` is none of the catalogue; `wrong_subject` is one, stored under a subject that is not its own. */
export type EventProblem = 'not_an_event' | 'wrong_subject';

export type ParsedEvent =
  | { ok: true; event: PlacetEvent }
  | { ok: false; code: EventProblem; problem: string };

/** Reads a message of the stream. What its body says of type, agent, action and number must be what its subject says. */
export function parseEvent(subject: string, body: string): ParsedEvent {
  const place = parseSubject(subject);
  if (!place) return failed('not_an_event', `no event has the subject ${subject}`);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return failed('not_an_event', 'the body is not JSON');
  }
  const envelope = Envelope.safeParse(json);
  if (!envelope.success)
    return failed('not_an_event', `not a CloudEvents envelope: ${envelope.error.message}`);
  const { type, data } = envelope.data;
  if (!isEventType(type)) return failed('not_an_event', `type ${type} under ${subject}`);
  if (type !== place.type) return failed('wrong_subject', `type ${type} under ${subject}`);
  const parsed = catalogue[type].data.safeParse(data);
  if (!parsed.success) return failed('not_an_event', `${type}: ${parsed.error.message}`);
  if (!belongs(place, parsed.data))
    return failed('wrong_subject', `${type} does not belong under ${subject}`);
  return { ok: true, event: { ...envelope.data, data: parsed.data } as PlacetEvent };
}

function failed(code: EventProblem, problem: string): ParsedEvent {
  return { ok: false, code, problem };
}

function belongs(place: NonNullable<ReturnType<typeof parseSubject>>, data: object): boolean {
  if (place.root === 'sys') return true;
  const id = 'action_id' in data ? data.action_id : 'grant' in data ? data.grant : undefined;
  if (id !== place.action || !('agent' in data) || data.agent !== place.agent) return false;
  return entryOf(place.type).suffix !== 'number' || place.suffix === String(numberOf(data));
}

/** The running number of a step; for a payload that is held, its revision. */
function numberOf(data: object): unknown {
  return 'number' in data ? data.number : 'revision' in data ? data.revision : undefined;
}
