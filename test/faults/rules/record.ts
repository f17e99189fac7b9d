import { configStream, type EventData, eventStream } from '@placet/events';
import { isAbout, isLost, successOf } from '../notes.ts';
import type { Case } from './case.ts';
import { examination, type Finding } from './finding.ts';

export function deliveredTwice({ stream, record, facts }: Case): Finding {
  const found = examination('7 delivered twice is once', ['events', 'held actions']);
  const ids = new Set<string>();
  const subjects = new Set<string>();
  for (const { seq, subject, event } of stream) {
    found.count('events');
    if (subjects.has(subject)) found.violated(null, `${subject} was written twice`);
    subjects.add(subject);
    if (!event) found.violated(null, `the message ${seq} is no event of ours`);
    else if (ids.has(event.id)) found.violated(null, `the event ${event.id} is in the stream twice`);
    if (event) ids.add(event.id);
  }
  const recorded = new Set<string>();
  for (const { id, index } of record) {
    if (recorded.has(id) || id.includes('#'))
      found.violated(null, `the record ${index} has the id ${id} again`);
    recorded.add(id);
  }
  for (const { action, needed, closed, decided } of facts.values()) {
    if (needed.length === 0) continue;
    found.count('held actions');
    const revisions = needed.map(({ event }) => event.data.revision);
    const twice = revisions.find((revision, i) => revisions.indexOf(revision) !== i);
    if (twice !== undefined) found.violated(action, `people were asked about revision ${twice} again`);
    if (decided.length === 1 && closed.length !== 1)
      found.violated(action, `its end was told ${closed.length} times`);
  }
  return found;
}

export function nothingVanishes(found: Case, sweepAfterMs: number): Finding {
  const { notes, facts, accepted, stream, unfinished, restless } = found;
  const result = examination('8 nothing vanishes', [
    'requests',
    'decided by the clock',
    'answers about accepted actions',
    'logs taken',
    'comments taken',
  ]);
  for (const { action, requested, needed, edited, decided } of facts.values()) {
    const [request] = requested;
    const [decision] = decided;
    result.count('requests');
    if (!request) result.violated(action, 'the stream holds it without its request');
    if (!decision) {
      result.violated(action, 'it was never decided');
      continue;
    }
    const { cause } = decision.event.data;
    if (cause !== 'timeout' && cause !== 'evaluation_failed') continue;
    result.count('decided by the clock');
    // Who waited for a verdict waited since the request, or since the change.
    const waitedFrom = edited.at(-1) ?? request;
    const due =
      cause === 'timeout'
        ? Date.parse(needed.at(-1)?.event.data.deadline ?? '')
        : Date.parse(waitedFrom?.event.time ?? '') + sweepAfterMs;
    if (!(Date.parse(decision.event.time) >= due))
      result.violated(action, `the clock decided (${cause}) too early`);
  }
  for (const note of notes) {
    const action = 'action' in note.asked ? note.asked.action : null;
    if (action === null || !accepted.has(action) || isLost(note.told)) continue;
    result.count('answers about accepted actions');
    if (note.told.status === 404)
      result.violated(action, `${note.by} was told (${note.asked.kind}) that there is no such action`);
  }
  const logged = new Set(
    stream.flatMap(({ event }) => (event?.type === 'action.logged' ? [event.data.action_id] : [])),
  );
  for (const note of notes) {
    const action = note.asked.kind === 'log' ? successOf(note)?.action_id : undefined;
    if (action === undefined) continue;
    result.count('logs taken');
    if (!logged.has(action)) result.violated(action, `${note.by} logged it, and the stream does not hold it`);
  }
  for (const note of notes) {
    if (!isAbout(note, 'comment') || !successOf(note)) continue;
    const { action, comment } = note.asked;
    result.count('comments taken');
    const isThere = facts
      .get(action)
      ?.commented.some(({ event: { data } }) => data.by.email === note.by && data.comment === comment);
    if (!isThere) result.violated(action, `${note.by}'s comment was taken, and the stream does not hold it`);
  }
  const fewer = new Set(
    stream.flatMap(({ event }) =>
      event?.type === 'approval.reassigned' || event?.type === 'approval.edited'
        ? [event.data.action_id]
        : [],
    ),
  );
  for (const { event } of stream) {
    if (event?.type === 'alarm.raised' && !isRight(event.data, fewer))
      result.violated(null, `an alarm: ${event.data.kind}: ${event.data.message}`);
    if (event?.type === 'message.dead')
      result.violated(null, `given up: ${event.data.subject}: ${event.data.reason}`);
  }
  for (const action of unfinished) result.violated(action, 'the store still owes something of it');
  for (const what of restless) result.violated(null, `when its time was over, ${what}`);
  return result;
}

function isRight({ kind, details = {} }: EventData<'alarm.raised'>, fewer: ReadonlySet<string>): boolean {
  // Whom a broker that died was to tell of changes is right to say that it was not told.
  if (kind === 'configuration_missed') return true;
  // People hand their places to each other, or change what they may not vote on then: too few may be left.
  return kind === 'approval_without_approvers' && fewer.has(String(details['action_id']));
}

export function everythingIsRecorded({ stream, configuration, record }: Case): Finding {
  const found = examination('9 everything is on the record', [
    'events',
    'changes of configuration',
    'records',
  ]);
  const places = new Map<string, (typeof record)[number]>();
  for (const [i, one] of record.entries()) {
    found.count('records');
    const place = `${one.stream}:${one.seq}`;
    if (one.index !== i) found.violated(null, `the record ${i} has the index ${one.index}`);
    if (places.has(place)) found.violated(null, `${place} is on the record twice`);
    places.set(place, one);
  }
  const compare = (name: string, messages: Case['stream'], what: string) => {
    for (const { seq, subject, body, event } of messages) {
      found.count(what);
      const one = places.get(`${name}:${seq}`);
      places.delete(`${name}:${seq}`);
      const action = event && 'action_id' in event.data ? event.data.action_id : null;
      if (!one) found.violated(action, `${name}:${seq} (${subject}) is not on the record`);
      else if (one.body !== body || one.subject !== subject)
        found.violated(action, `${name}:${seq} is recorded otherwise`);
      else if (event && one.id !== event.id)
        found.violated(action, `${name}:${seq} is recorded as ${one.id}`);
    }
  };
  compare(eventStream, stream, 'events');
  compare(configStream, configuration, 'changes of configuration');
  for (const place of places.keys()) found.violated(null, `${place} is on the record, and in no stream`);
  return found;
}
