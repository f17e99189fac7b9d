import type { EventOf } from '@placet/events';
import { isAbout, mayHaveHappened, type NoteOf, refusalOf, successOf } from '../notes.ts';
import { askingFor, verdictOn } from '../world.ts';
import type { Case, Facts } from './case.ts';
import { type Moment, momentsOf } from './course.ts';
import { type Examination, examination, type Finding } from './finding.ts';
import { canonicalOf, digestOfPayload } from './payloads.ts';
import { digestNow, mayVote, type Standing } from './standing.ts';
import { checkRefusal } from './turned-away.ts';

export function changesAreJudged({ notes, facts, people }: Case): Finding {
  const found = examination('11 what is changed is judged', [
    'edits in the stream',
    'edits confirmed',
    'edits refused',
    'edits that were asked about',
    'edits that the policy denied',
  ]);
  const made = new Set<string>();
  const all = notes.filter((note) => isAbout(note, 'edit'));
  for (const note of all) if (mayHaveHappened(note)) made.add(noteText(note));
  for (const note of all) {
    const known = facts.get(note.asked.action);
    const there = known?.edited.filter(({ event }) => eventText(event) === noteText(note)) ?? [];
    if (successOf(note)) checkConfirmed(note, there, found);
    if (refusalOf(note) === null) continue;
    found.count('edits refused');
    if (there.length > 0 && !made.has(noteText(note)))
      found.violated(note.asked.action, `${note.by}'s edit was refused, and is in the stream`);
    checkRefusal(known, note, people, found);
    checkReason(known, note, found);
  }
  for (const known of facts.values()) {
    for (const [i, moment] of momentsOf(known.course, 'approval.edited').entries()) {
      const { editor, number } = moment.at.event.data;
      found.count('edits in the stream');
      if (!made.has(eventText(moment.at.event)))
        found.violated(known.action, `the stream holds an edit by ${editor.email} that nobody made`);
      if (number !== i + 1) found.violated(known.action, `its edit ${i + 1} has the number ${number}`);
      checkEdit(known, moment, found);
      const person = people.find(({ email }) => email === editor.email);
      if (!moment.before || !person || !mayVote(moment.before, person, people))
        found.violated(known.action, `${editor.email} changed it without being asked`);
    }
    for (const moment of momentsOf(known.course, 'approval.needed')) checkAsking(known.action, moment, found);
    for (const [i, { at }] of known.course.entries()) {
      if (at.event.type === 'approval.edited') checkWhatFollows(known, i, found);
    }
  }
  return found;
}

/** Who changes what into what: nobody of ours does the same twice. */
const editText = (action: string, email: string, changes: Record<string, unknown>, digest: string) =>
  `${action}/${email}/${canonicalOf(changes)}/${digest}`;
const noteText = ({ by, asked: { action, changes, digest } }: NoteOf<'edit'>) =>
  editText(action, by, changes, digest);

function eventText({ data }: EventOf<'approval.edited'>): string {
  const changes = Object.fromEntries(data.changes.map(({ path, to }) => [path, to]));
  return editText(data.action_id, data.editor.email, changes, data.previous_digest);
}

function checkConfirmed(note: NoteOf<'edit'>, there: Facts['edited'], found: Examination): void {
  const { action } = note.asked;
  const { revision, payload_digest } = successOf(note) ?? {};
  const [first] = there;
  found.count('edits confirmed');
  if (!first || there.length > 1) {
    found.violated(action, `${note.by}'s edit was confirmed, and is ${there.length} times in the stream`);
    return;
  }
  const { data } = first.event;
  if (data.revision !== revision || data.payload_digest !== payload_digest)
    found.violated(action, `${note.by} was told of another revision than the edit made`);
}

/** What the request and the policy say of all edits alike has to be so whenever it is said. */
function checkReason(known: Facts | undefined, note: NoteOf<'edit'>, found: Examination): void {
  const request = known?.requested[0]?.event.data;
  if (!request) return;
  const { action, changes } = note.asked;
  const refusal = refusalOf(note);
  if (refusal === 'EDITS_NOT_ACCEPTED' && request.accepts?.includes('edits'))
    found.violated(action, `${note.by} was told that the agent accepts no edits, and it does`);
  if (refusal === 'NOT_EDITABLE' && areEditable(request.action_name, Object.keys(changes)))
    found.violated(action, `${note.by} was told that it cannot be changed, and it can`);
}

const areEditable = (actionName: string, paths: readonly string[]) =>
  paths.every((path) => askingFor(actionName).editable.includes(path));

function checkEdit(
  { action, requested }: Facts,
  { at, before, after }: Moment<'approval.edited'>,
  found: Examination,
): void {
  const { editor, changes, revision, previous_digest, payload_digest, payload } = at.event.data;
  const by = `the edit of ${editor.email}`;
  const request = requested[0]?.event.data;
  if (!request?.accepts?.includes('edits')) found.violated(action, `${by} changes what accepts no edits`);
  const paths = changes.map(({ path }) => path);
  if (!request || !areEditable(request.action_name, paths))
    found.violated(action, `${by} changes ${paths.join(', ')}, which nobody may`);
  if (!before || !after) return;
  if (!before.isJudged) found.violated(action, `${by} changes what the policy had not judged`);
  if (revision !== after.revision)
    found.violated(action, `${by} is revision ${revision} of ${after.revision}`);
  if (previous_digest !== digestNow(before)) found.violated(action, `${by} is of another payload`);
  const isWhole = canonicalOf(payload as Standing['payload']) === canonicalOf(after.payload);
  if (!isWhole || payload_digest !== digestNow(after))
    found.violated(action, `${by} makes another payload than it says`);
}

/** People are asked about the payload as it is, once for each revision, and about nothing that the policy denies. */
function checkAsking(
  action: string,
  { at, before, after }: Moment<'approval.needed'>,
  found: Examination,
): void {
  const { revision, payload, payload_digest } = at.event.data;
  if (!after) return;
  if (before?.isJudged)
    found.violated(action, `people were asked again (${revision}) and nothing was changed`);
  if (revision !== after.revision)
    found.violated(action, `people were asked about ${revision} as ${after.revision}`);
  const isWhole = canonicalOf(payload as Standing['payload']) === canonicalOf(after.payload);
  if (!isWhole || payload_digest !== digestOfPayload(after.payload))
    found.violated(action, `people were asked about another payload than revision ${after.revision}`);
  const verdict = verdictOn(after.actionName, after.payload);
  if (verdict.by === 'policy' && verdict.decision === 'denied')
    found.violated(action, `people were asked about what the policy denies (${revision})`);
  if (demandsText(at.event.data.demands) !== wantedText(after.demands))
    found.violated(action, `others were asked about revision ${revision} than the policy says`);
}

/** Whom an event asks, and whom the world says is asked, in the same words. */
const demandsText = (demands: EventOf<'approval.needed'>['data']['demands']) =>
  JSON.stringify(
    demands.map(({ approvers, quorum, separate = false }) => {
      // A channel is a name for those with the role.
      const roles = approvers.map((one) => (one.kind === 'role' ? one.role : 'approver'));
      return [roles, quorum, separate];
    }),
  );
const wantedText = (demands: Standing['demands']) =>
  JSON.stringify(demands.map(({ roles, quorum, separate }) => [roles, quorum, separate]));

/** The next that happens is the policy's word, or the end. */
function checkWhatFollows({ action, course }: Facts, i: number, found: Examination): void {
  const next = course[i + 1]?.at.event;
  const after = course[i]?.after;
  if (next?.type === 'approval.needed') {
    found.count('edits that were asked about');
    return;
  }
  if (next?.type !== 'action.decided') {
    found.violated(action, `after an edit came ${next?.type ?? 'nothing'}, and not the policy's word`);
    return;
  }
  const { decision, cause } = next.data;
  if (decision === 'allowed') found.violated(action, 'what was changed was allowed before it was judged');
  if (cause !== 'policy' || !after) return;
  found.count('edits that the policy denied');
  const verdict = verdictOn(after.actionName, after.payload);
  if (verdict.by === 'people' || verdict.decision === 'allowed')
    found.violated(action, 'the policy denied a change that it does not deny');
}
