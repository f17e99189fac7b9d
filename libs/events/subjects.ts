import { type EventType, entryOf, isEventType, type Root } from './catalogue.ts';
import { AgentName } from './names.ts';

export const eventRoot = 'placet';
/** What the stream republishes: only what was stored comes out under this root. */
export const liveRoot = 'placetlive';

export type Place =
  | { root: 'act' | 'note'; agent: string; action: string; type: EventType; suffix: string | null }
  | { root: 'sys'; type: EventType; suffix: string | null };

type Keyed = { agent: string; action_id?: string; grant?: string };

/** The one subject under which an event can ever be stored. `suffix` is its number or its id, where its type has one. */
export function subjectFor(type: EventType, data: object, suffix?: string | number): string {
  const entry = entryOf(type);
  const tail = entry.suffix === 'none' ? '' : `.${required(suffix, type)}`;
  if (entry.root === 'sys') return `${eventRoot}.sys.${type}${tail}`;
  const { agent, action_id, grant } = data as Keyed;
  const action = required(action_id ?? grant, type);
  return `${eventRoot}.${entry.root}.${required(agent, type)}.${action}.${type}${tail}`;
}

function required(part: string | number | undefined, type: EventType): string {
  const text = part === undefined ? '' : String(part);
  if (!isToken(text)) throw new Error(`${type}: "${text}" cannot be a token of a subject`);
  return text;
}

const isToken = (text: string) => /^[A-Za-z0-9_-]+$/.test(text);

export function parseSubject(subject: string): Place | null {
  const [first, root, ...rest] = subject.split('.');
  if (first !== eventRoot) return null;
  if (root === 'sys') return placed(rest, (type, suffix) => ({ root, type, suffix }));
  if (root !== 'act' && root !== 'note') return null;
  const [agent = '', action = '', ...kind] = rest;
  if (!AgentName.safeParse(agent).success || !isToken(action)) return null;
  return placed(kind, (type, suffix) => ({ root, agent, action, type, suffix }));
}

function placed(tokens: string[], make: (type: EventType, suffix: string | null) => Place): Place | null {
  const [noun, verb, suffix, ...more] = tokens;
  const type = `${noun}.${verb}`;
  if (more.length > 0 || !isEventType(type)) return null;
  if ((entryOf(type).suffix === 'none') !== (suffix === undefined)) return null;
  if (suffix !== undefined && !isToken(suffix)) return null;
  const place = make(type, suffix ?? null);
  return place.root === entryOf(type).root ? place : null;
}

/** All that bears on one action's decision: its history, and the scope of its version. */
export function historyFilter(agent: string, action: string): string {
  return `${eventRoot}.act.${agent}.${action}.>`;
}

/** The same where only the action's id is known, as people name it. */
export function anyAgentsFilters(action: string): string[] {
  const notes = ['action.executed', 'approval.commented'].map(
    (type) => `${eventRoot}.note.*.${action}.${type}.*`,
  );
  return [`${eventRoot}.act.*.${action}.>`, ...notes];
}

/** One type of note of one action, whatever its id. */
export function noteFilter(type: EventType, agent: string, action: string): string {
  return `${eventRoot}.note.${agent}.${action}.${type}.*`;
}

/** Every event of one type. */
export function typeFilter(type: EventType): string {
  const entry: { root: Root; suffix: string } = entryOf(type);
  const tail = entry.suffix === 'none' ? '' : '.*';
  return entry.root === 'sys'
    ? `${eventRoot}.sys.${type}${tail}`
    : `${eventRoot}.${entry.root}.*.*.${type}${tail}`;
}

export function liveSubject(subject: string): string {
  return `${liveRoot}${subject.slice(eventRoot.length)}`;
}

export function storedSubject(live: string): string {
  return `${eventRoot}${live.slice(liveRoot.length)}`;
}

/** Replies come to a subject that only one user may listen to: those that others may use too can be read by them. */
export function inboxPrefix(user: string): string {
  return `_INBOX_${user}`;
}
