import { type EventType, entryOf } from '@placet/events';
import { actionOf, decisionTold, successOf } from '../notes.ts';
import { type Case, emptyFacts, keyOf } from './case.ts';
import { examination, type Finding } from './finding.ts';

export function oneDecision({ notes, facts, accepted, about }: Case): Finding {
  const found = examination('2 one action, one decision', [
    'accepted actions',
    'decisions told',
    'keys asked again',
  ]);
  for (const action of accepted.keys()) {
    found.count('accepted actions');
    const { requested, decided } = facts.get(action) ?? emptyFacts(action);
    if (requested.length !== 1) found.violated(action, `it is in the stream ${requested.length} times`);
    if (decided.length === 0) found.violated(action, 'it was decided 0 times');
  }
  for (const { action, decided } of facts.values()) {
    if (decided.length > 1) found.violated(action, `it was decided ${decided.length} times`);
  }
  for (const note of notes) {
    const told = decisionTold(note);
    if (told === null) continue;
    const action = about(note);
    found.count('decisions told');
    const decision = action === null ? undefined : facts.get(action)?.decided[0]?.event.data.decision;
    if (told !== decision)
      found.violated(action, `${note.by} was told ${told}, and it is ${decision ?? 'undecided'}`);
  }
  const ids = new Map<string, string>();
  for (const note of notes) {
    const key = keyOf(note);
    const action = successOf(note) && actionOf(note);
    if (key === null || !action) continue;
    const earlier = ids.get(key);
    if (earlier !== undefined) found.count('keys asked again');
    if (earlier !== undefined && earlier !== action) {
      found.violated(action, `the key ${key} stood for ${earlier} before`);
    }
    ids.set(key, action);
  }
  return found;
}

/** Beside what bears on the decision the store keeps these: what people see of an action, and of a case. */
const kept: readonly EventType[] = ['action.executed', 'action.logged', 'approval.commented'];

/** The store holds of each action exactly what the stream holds, to the letter. */
export function streamIsTruth({ stream, outcomes }: Case): Finding {
  const found = examination('3 the stream is the truth', ['events', 'notes', 'stored outcomes']);
  const stored = new Map(outcomes.map((row) => [row.seq, row]));
  if (stored.size !== outcomes.length) found.violated(null, 'the store holds an event twice');
  const wanted = new Set<number>();
  for (const { seq, event } of stream) {
    if (!event || !('action_id' in event.data)) continue;
    const isNote = kept.includes(event.type);
    // What belongs to no case is on the record alone.
    if (event.type === 'action.logged' && event.data.case === undefined) continue;
    if (entryOf(event.type).root !== 'act' && !isNote) continue;
    wanted.add(seq);
    found.count(isNote ? 'notes' : 'events');
    const row = stored.get(seq);
    const { action_id } = event.data;
    if (!row) found.violated(action_id, `the store lacks its ${event.type} (${seq})`);
    else if (row.action !== action_id || !isSame(row.body, event)) {
      found.violated(action_id, `the store holds another ${event.type} (${seq}) than the stream`);
    }
  }
  for (const { seq, action } of outcomes) {
    found.count('stored outcomes');
    if (!wanted.has(seq)) found.violated(action, `the store holds ${seq}, which is not in the stream`);
  }
  return found;
}

const isSame = (body: string, event: object) => body === JSON.stringify(event);
