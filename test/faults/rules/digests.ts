import { verifyProof } from '@placet/proof';
import { isAbout, isAnswerToAgent, type Note, successOf } from '../notes.ts';
import type { Case, Facts } from './case.ts';
import { endOf, type Moment } from './course.ts';
import { type Examination, examination, type Finding } from './finding.ts';
import { canonicalOf, digestOfPayload } from './payloads.ts';
import { digestNow, type Standing } from './standing.ts';

export function whatWasApprovedRuns(found: Case): Finding {
  const result = examination('4 what was approved runs', [
    'digests',
    'proofs in the stream',
    'proofs told',
    'changed payloads told',
    'payloads shown',
  ]);
  for (const known of found.facts.values()) checkDecisions(found, known, result);
  for (const note of found.notes) {
    const action = found.about(note);
    const known = action === null ? undefined : found.facts.get(action);
    const isAllowed = successOf(note)?.decision === 'allowed';
    if (isAllowed && isAnswerToAgent(note)) checkPermission(found, known, note, result);
    if (isAbout(note, 'approval')) checkShown(known, note, result);
  }
  return result;
}

function checkDecisions({ accepted, keys }: Case, known: Facts, result: Examination): void {
  const { action, requested, decided, course } = known;
  const [request] = requested;
  const asked = accepted.get(action);
  const wanted = asked ? digestOfPayload(asked.payload) : request?.event.data.payload_digest;
  if (request && request.event.data.payload_digest !== wanted) {
    result.violated(
      action,
      `its digests differ: ${request.event.data.payload_digest}, and asked was ${wanted}`,
    );
  }
  for (const { event } of decided) {
    const { data } = event;
    result.count('digests');
    const digests = digestsToDecide(endOf(course), data, wanted);
    if (!digests.includes(data.payload_digest)) {
      result.violated(action, `its digests differ: ${data.payload_digest} of ${digests.join(' or ')}`);
    }
    const revision = endOf(course)?.revision ?? 1;
    if (data.decision === 'allowed' && (data.revision ?? 1) !== revision) {
      result.violated(action, `revision ${data.revision ?? 1} of ${revision} was decided`);
    }
    result.count('proofs in the stream');
    const { action_id, agent, action_name, decision, payload_digest } = data;
    const expected = { action_id, agent, action: action_name, decision, payload_digest, now: null };
    const verdict = verifyProof(data.proof, keys, expected);
    if (!verdict.ok) result.violated(action, `its proof does not hold: ${verdict.message}`);
  }
}

type Decided = Facts['decided'][number]['event']['data'];

/** Whoever ends it while the policy judges a change may name what people were asked about before; nobody allows it. */
function digestsToDecide(
  end: Standing | null,
  { decision, cause }: Decided,
  requested: string | undefined,
): (string | undefined)[] {
  if (!end) return [requested];
  const isOpen = !end.isJudged && decision === 'denied' && cause !== 'policy';
  return isOpen ? [digestNow(end), digestOfPayload(end.shown)] : [digestNow(end)];
}

/** Whoever is told "allowed" is told of which payload, and has said that it takes one that people have changed. */
function checkPermission(
  { accepted }: Case,
  known: Facts | undefined,
  note: Note,
  result: Examination,
): void {
  const body = successOf(note) ?? {};
  const action = known?.action ?? null;
  const decision = known?.decided[0]?.event.data;
  const asked = action === null ? undefined : accepted.get(action);
  result.count('proofs told');
  if (body.proof === undefined || body.proof !== decision?.proof) {
    result.violated(action, `${note.by} was told another proof than the decision's`);
  }
  const end = known ? endOf(known.course) : null;
  const payload = end?.payload ?? asked?.payload;
  if (payload && body.payload_digest !== digestOfPayload(payload)) {
    result.violated(action, `${note.by} was told a digest of what nobody asked for, nor approved`);
  }
  if (end === null || end.revision === 1) {
    if (body.payload) result.violated(action, `${note.by} was told a payload that nobody had changed`);
    return;
  }
  result.count('changed payloads told');
  if (!asked?.accepts?.includes('edits')) {
    result.violated(action, `${note.by} was told that a payload is allowed that it did not accept`);
  }
  if (!body.payload || canonicalOf(body.payload) !== canonicalOf(end.payload)) {
    result.violated(action, `${note.by} was told to run another payload than the one that was approved`);
  }
}

/** Who looks at an approval sees one of its payloads, with its own digest. */
function checkShown(known: Facts | undefined, note: Note, result: Examination): void {
  const body = successOf(note);
  if (!body?.payload) return;
  result.count('payloads shown');
  const shown = (known?.course ?? []).flatMap(({ at, after }: Moment) =>
    at.event.type === 'approval.needed' && after && after.revision === body.revision ? [after.payload] : [],
  );
  const isOne = shown.some((payload) => canonicalOf(payload) === canonicalOf(body.payload ?? {}));
  if (!isOne || digestOfPayload(body.payload) !== body.payload_digest) {
    result.violated(known?.action ?? null, `${note.by} was shown a payload that nobody was asked about`);
  }
}
