import type { EventOf } from '@placet/events';
import { isAbout, mayHaveHappened, refusalOf, successOf } from '../notes.ts';
import type { Case } from './case.ts';
import { type Moment, momentsOf } from './course.ts';
import { type Examination, examination, type Finding } from './finding.ts';
import { handable, type People } from './standing.ts';
import { checkRefusal } from './turned-away.ts';

/** That a place counts once, and not for whoever handed it on, is rule 1's and 6's, who count. */
export function placesAreHandedOn({ notes, facts, people }: Case): Finding {
  const found = examination('12 who hands on is heard', [
    'reassignments in the stream',
    'reassignments confirmed',
    'reassignments refused',
  ]);
  const asked = new Set<string>();
  const all = notes.filter((note) => isAbout(note, 'reassignment'));
  for (const note of all) {
    if (mayHaveHappened(note)) asked.add(handText(note.asked.action, note.by, note.asked.to));
  }
  for (const note of all) {
    const { action, to } = note.asked;
    const text = handText(action, note.by, to);
    const known = facts.get(action);
    const isThere = known?.reassigned.some(({ event }) => textOf(event) === text);
    if (successOf(note)) {
      found.count('reassignments confirmed');
      // To take back what was not handed on is nothing new.
      const isOwn = to.length === 1 && to[0] === note.by;
      if (!isThere && !isOwn)
        found.violated(action, `${note.by}'s reassignment was confirmed, and is not in the stream`);
    }
    if (refusalOf(note) === null) continue;
    found.count('reassignments refused');
    if (isThere && !asked.has(text))
      found.violated(action, `${note.by}'s reassignment was refused, and is in the stream`);
    checkRefusal(known, note, people, found);
  }
  for (const { action, course, decided } of facts.values()) {
    const end = decided[0]?.seq ?? Number.POSITIVE_INFINITY;
    for (const [i, moment] of momentsOf(course, 'approval.reassigned').entries()) {
      const { seq, event } = moment.at;
      const { by, number } = event.data;
      found.count('reassignments in the stream');
      if (!asked.has(textOf(event)))
        found.violated(action, `the stream holds a reassignment by ${by.email} that nobody asked for`);
      if (number !== i + 1) found.violated(action, `its reassignment ${i + 1} has the number ${number}`);
      if (seq > end) found.violated(action, `${by.email} handed it on after the decision`);
      checkPlace(action, moment, people, found);
    }
  }
  return found;
}

const handText = (action: string, email: string, to: readonly string[]) =>
  `${action}/${email}/${to.join('+')}`;

function textOf({ data: { action_id, by, approvers } }: EventOf<'approval.reassigned'>): string {
  const to = approvers.map((one) => (one.kind === 'user' ? one.email : one.kind));
  return handText(action_id, by.email, to);
}

function checkPlace(
  action: string,
  { at: { event }, before }: Moment<'approval.reassigned'>,
  people: People,
  found: Examination,
): void {
  const { by, place } = event.data;
  const giver = people.find(({ email }) => email === by.email);
  const owner = people.find(({ id }) => id === place);
  const places = before && giver ? before.demands.flatMap((_, n) => handable(before, n, giver, people)) : [];
  if (!owner || !places.includes(owner.email)) {
    found.violated(
      action,
      `${by.email} handed on the place of ${owner?.email ?? place}, which is not theirs`,
    );
  }
  if (!before?.isJudged) found.violated(action, `${by.email} handed on what the policy had not judged`);
}
