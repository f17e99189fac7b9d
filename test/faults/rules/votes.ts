import { isAbout, mayHaveHappened, type NoteOf, refusalOf, successOf } from '../notes.ts';
import type { Case, Facts } from './case.ts';
import { type Moment, momentsOf } from './course.ts';
import { type Examination, examination, type Finding } from './finding.ts';
import { claimsOf, digestNow, mayVote, type People, placesOf } from './standing.ts';
import { checkRefusal } from './turned-away.ts';

export function votesAreCounted({ notes, facts, people }: Case): Finding {
  const found = examination('6 who voted is counted', [
    'votes in the stream',
    'votes confirmed',
    'votes refused',
    'votes on a payload that was changed',
    'votes in the place of another',
  ]);
  const cast = new Set<string>();
  for (const note of notes) {
    if (!isAbout(note, 'vote')) continue;
    const { action, vote, digest } = note.asked;
    const known = facts.get(action);
    if (mayHaveHappened(note)) cast.add(voteText(action, note.by, vote, digest));
    if (successOf(note)) checkConfirmed(known, note, found);
    if (refusalOf(note) === null) continue;
    found.count('votes refused');
    checkRefusal(known, note, people, found);
  }
  for (const known of facts.values()) {
    const end = known.decided[0]?.seq ?? Number.POSITIVE_INFINITY;
    for (const [i, moment] of momentsOf(known.course, 'approval.voted').entries()) {
      const { voter, vote, number, payload_digest } = moment.at.event.data;
      found.count('votes in the stream');
      const named = [undefined, payload_digest].map((one) => voteText(known.action, voter.email, vote, one));
      if (!named.some((text) => cast.has(text))) {
        found.violated(known.action, `the stream holds a vote of ${voter.email} that nobody cast`);
      }
      if (number !== i + 1) found.violated(known.action, `its vote ${i + 1} has the number ${number}`);
      if (moment.at.seq > end)
        found.violated(known.action, `a vote of ${voter.email} came after the decision`);
      checkBallot(known.action, moment, people, found);
    }
  }
  return found;
}

/** Who names no payload means that of now. */
const voteText = (action: string, email: string, vote: string, digest: string | undefined) =>
  `${action}/${email}/${vote}/${digest ?? ''}`;

function checkConfirmed(known: Facts | undefined, note: NoteOf<'vote'>, found: Examination): void {
  const { action, vote, digest } = note.asked;
  found.count('votes confirmed');
  const isThere = known?.voted.some(({ event: { data } }) => {
    const isSeen = digest === undefined || data.payload_digest === digest;
    return data.voter.email === note.by && data.vote === vote && isSeen;
  });
  if (!isThere) found.violated(action, `${note.by}'s vote was confirmed, and is not in the stream`);
}

/** Who voted was asked at that moment, about the payload of that moment, and takes a place that is theirs. */
function checkBallot(
  action: string,
  { at, before }: Moment<'approval.voted'>,
  people: People,
  found: Examination,
): void {
  const { data } = at.event;
  const { email } = data.voter;
  const person = people.find((one) => one.email === email);
  if (!before || !person || !mayVote(before, person, people)) {
    found.violated(action, `${email} voted without being asked, or being asked no more`);
    return;
  }
  if (before.revision > 1) found.count('votes on a payload that was changed');
  if (!before.isJudged) found.violated(action, `${email} voted on what the policy had not judged`);
  if (data.payload_digest !== digestNow(before)) {
    found.violated(action, `${email}'s vote is about another payload than that of then`);
  }
  const claims = claimsOf(data, people);
  if (claims.some((claim) => claim !== null && claim !== email)) found.count('votes in the place of another');
  for (const [position, claim] of claims.entries()) {
    const places = placesOf(before, position, person, people);
    const isSo = claim === null ? places.length === 0 : places.includes(claim);
    if (!isSo) {
      found.violated(action, `${email} took the place of ${claim ?? 'nobody'}, and had ${textOf(places)}`);
    }
  }
}

const textOf = (places: readonly string[]) =>
  places.length === 0 ? 'none' : `that of ${places.join(' or ')}`;
