import { isAnswerToAgent, isLost, successOf } from '../notes.ts';
import { type Demand, verdictOn } from '../world.ts';
import type { Case, Facts } from './case.ts';
import { endOf as endOfCourse } from './course.ts';
import { examination, type Finding } from './finding.ts';
import type { Standing } from './standing.ts';

/** Why an action must not be allowed, by what its agent asked and what people did; null where it may be. */
export function whyNotAllowed({ requested, course }: Facts): string | null {
  const [request] = requested;
  if (!request) return 'nobody asked for it';
  const { action_name, payload } = request.event.data;
  const verdict = verdictOn(action_name, payload as Standing['payload']);
  if (verdict.by === 'policy') {
    return verdict.decision === 'allowed' ? null : `the policy denies ${action_name}`;
  }
  const end = endOfCourse(course);
  return end ? whyPeopleDoNotAllow(end) : 'people were never asked';
}

function whyPeopleDoNotAllow(standing: Standing): string | null {
  const { actionName, payload, isJudged, demands, ballots } = standing;
  if (!isJudged) return 'the policy has not judged what it was changed to';
  const verdict = verdictOn(actionName, payload);
  if (verdict.by === 'policy' && verdict.decision === 'denied')
    return 'the policy denies what it was changed to';
  const counted = [...ballots.values()].filter(({ places }) => places.some((place) => place !== null));
  if (counted.some(({ vote }) => vote === 'reject')) return 'somebody rejected it';
  const placesIn = (_: Demand, position: number) =>
    new Set(counted.flatMap(({ places }) => places[position] ?? []));
  const taken = demands.map(placesIn);
  const missing = demands.filter(({ quorum }, position) => (taken[position]?.size ?? 0) < quorum);
  if (missing.length > 0) {
    return `too few people with the role ${missing.flatMap(({ roles }) => roles).join(', ')} approved it`;
  }
  const wanted = demands.reduce((sum, { quorum }) => sum + quorum, 0);
  // Nobody has two roles, so no place is one of two demands.
  return new Set(taken.flatMap((places) => [...places])).size < wanted
    ? 'too few different people approved it'
    : null;
}

export function failClosed({ notes, facts, about }: Case): Finding {
  const found = examination('1 fail closed', [
    'answers that said allowed',
    'decisions to allow',
    'decisions to allow what people changed',
  ]);
  for (const note of notes) {
    if (successOf(note)?.decision !== 'allowed') continue;
    found.count('answers that said allowed');
    const action = about(note);
    const known = action === null ? undefined : facts.get(action);
    const why = known ? whyNotAllowed(known) : 'the stream does not hold it';
    if (why !== null) found.violated(action, `${note.by} was told that it is allowed, and ${why}`);
  }
  for (const known of facts.values()) {
    if (!known.decided.some(({ event }) => event.data.decision === 'allowed')) continue;
    found.count('decisions to allow');
    if (known.edited.length > 0) found.count('decisions to allow what people changed');
    const why = whyNotAllowed(known);
    if (why !== null) found.violated(known.action, `it was decided to be allowed, and ${why}`);
  }
  return found;
}

export function onceAndForNow({ notes, facts, about }: Case): Finding {
  const found = examination('5 once and for now', ['executions', 'reports', 'answers after the end']);
  const endOf = new Map<string, number>();
  const confirmed = new Map<string, number>();
  for (const note of notes) {
    const action = about(note);
    if (action === null || isLost(note.told)) continue;
    const { status, body } = note.told;
    if (note.asked.kind === 'execution') found.count('reports');
    if (note.asked.kind === 'execution' && status === 201) {
      confirmed.set(action, (confirmed.get(action) ?? 0) + 1);
    }
    const isOver =
      body.error === 'ALREADY_USED' || body.error === 'DECISION_EXPIRED' || body.decision === 'expired';
    if (isOver || (note.asked.kind === 'execution' && status === 201)) {
      endOf.set(action, Math.min(endOf.get(action) ?? Number.POSITIVE_INFINITY, note.toldAt));
    }
  }
  for (const [action, count] of confirmed) {
    if (count > 1) found.violated(action, `${count} reports of its execution were accepted`);
    if (!facts.get(action)?.executed.length)
      found.violated(action, 'its execution was confirmed and is not in the stream');
  }
  for (const { action, executed } of facts.values()) {
    found.count('executions', executed.length);
    if (executed.length > 1) found.violated(action, `it was executed ${executed.length} times`);
  }
  for (const note of notes) {
    const action = about(note);
    const body = successOf(note);
    if (action === null || !isAnswerToAgent(note)) continue;
    if (body?.decision === 'allowed' && Date.parse(body.valid_until ?? '') <= note.sentAt) {
      found.violated(action, `${note.by} was told that it is allowed, after ${body.valid_until}`);
    }
    if (note.sentAt <= (endOf.get(action) ?? Number.POSITIVE_INFINITY) || isLost(note.told)) continue;
    found.count('answers after the end');
    if (body?.decision === 'allowed')
      found.violated(action, `${note.by} was told that it is allowed, after its end`);
  }
  return found;
}
