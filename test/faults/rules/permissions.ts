import { createHash } from 'node:crypto';
import { verifyProof } from '@placet/proof';
import { isLost, successOf } from '../notes.ts';
import { type Person, verdictOn } from '../world.ts';
import type { Case, Facts } from './case.ts';
import { examination, type Finding } from './finding.ts';

/** Why an action must not be allowed, by what its agent asked and who voted; null where it may be. */
export function whyNotAllowed(
  { requested, voted, decided }: Facts,
  people: readonly Person[],
): string | null {
  const [request] = requested;
  if (!request) return 'nobody asked for it';
  const { action_name } = request.event.data;
  const verdict = verdictOn(action_name);
  if (verdict.by === 'policy') {
    return verdict.decision === 'allowed' ? null : `the policy denies ${action_name}`;
  }
  const end = decided[0]?.seq ?? Number.POSITIVE_INFINITY;
  const counted = voted.filter(({ seq }) => seq < end).map(({ event }) => event.data);
  const last = new Map(counted.map((vote) => [vote.voter.email, vote.vote]));
  if ([...last.values()].includes('reject')) return 'somebody rejected it';
  const hasRole = (email: string, role: string) =>
    people.find((person) => person.email === email)?.roles.includes(role);
  const approving = verdict.roles.map((role) => [...last.keys()].filter((email) => hasRole(email, role)));
  const missing = verdict.roles.filter((_, i) => approving[i]?.length === 0);
  if (missing.length > 0) return `nobody with the role ${missing.join(', ')} approved it`;
  return new Set(approving.flat()).size < verdict.roles.length
    ? 'too few different people approved it'
    : null;
}

export function failClosed({ notes, facts, people, about }: Case): Finding {
  const found = examination('1 fail closed', ['answers that said allowed', 'decisions to allow']);
  for (const note of notes) {
    if (successOf(note)?.decision !== 'allowed') continue;
    found.count('answers that said allowed');
    const action = about(note);
    const known = action === null ? undefined : facts.get(action);
    const why = known ? whyNotAllowed(known, people) : 'the stream does not hold it';
    if (why !== null) found.violated(action, `${note.by} was told that it is allowed, and ${why}`);
  }
  for (const known of facts.values()) {
    if (!known.decided.some(({ event }) => event.data.decision === 'allowed')) continue;
    found.count('decisions to allow');
    const why = whyNotAllowed(known, people);
    if (why !== null) found.violated(known.action, `it was decided to be allowed, and ${why}`);
  }
  return found;
}

/** RFC 8785 of the flat objects that our agents send, and its digest: not by the code that is being judged. */
export function digestOfPayload(payload: Record<string, unknown>): string {
  const members = Object.keys(payload)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${JSON.stringify(payload[name])}`);
  return `sha256:${createHash('sha256')
    .update(`{${members.join(',')}}`)
    .digest('hex')}`;
}

export function whatWasApprovedRuns(found: Case): Finding {
  const { notes, facts, accepted, keys, about } = found;
  const result = examination('4 what was approved runs', ['digests', 'proofs in the stream', 'proofs told']);
  for (const { action, requested, decided } of facts.values()) {
    const [request] = requested;
    const asked = accepted.get(action);
    for (const { event } of decided) {
      const { data } = event;
      result.count('digests');
      const digests = [data.payload_digest, request?.event.data.payload_digest];
      if (asked) digests.push(digestOfPayload(asked.payload));
      if (new Set(digests).size > 1) result.violated(action, `its digests differ: ${digests.join(', ')}`);
      result.count('proofs in the stream');
      const { action_id, agent, action_name, decision, payload_digest } = data;
      const expected = { action_id, agent, action: action_name, decision, payload_digest, now: null };
      const verdict = verifyProof(data.proof, keys, expected);
      if (!verdict.ok) result.violated(action, `its proof does not hold: ${verdict.message}`);
    }
  }
  for (const note of notes) {
    const body = successOf(note);
    if (body?.decision !== 'allowed' || note.asked.kind === 'vote') continue;
    const action = about(note);
    result.count('proofs told');
    const decision = action === null ? undefined : facts.get(action)?.decided[0]?.event.data;
    const asked = action === null ? undefined : accepted.get(action);
    if (body.proof === undefined || body.proof !== decision?.proof) {
      result.violated(action, `${note.by} was told another proof than the decision's`);
    }
    if (asked && body.payload_digest !== digestOfPayload(asked.payload)) {
      result.violated(action, `${note.by} was told a digest of what it had not asked`);
    }
  }
  return result;
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
    if (action === null || note.asked.kind === 'vote') continue;
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
