import { isAbout, type Note, refusalOf } from '../notes.ts';
import type { Facts } from './case.ts';
import { standingsDuring } from './course.ts';
import type { Examination } from './finding.ts';
import { digestNow, mayHandOn, mayVote, type People, type Standing } from './standing.ts';

/** What a person is refused for has to have been so at some moment between the question and its answer. */
export function checkRefusal(known: Facts | undefined, note: Note, people: People, found: Examination): void {
  const during = standingsDuring(known?.course ?? [], note);
  const person = people.find(({ email }) => email === note.by);
  const refusal = refusalOf(note);
  const action = known?.action ?? null;
  if (refusal === 'NOT_FOUND') found.violated(action, `${note.by} was told that there is no approval`);
  if (!person || during.length === 0) return;
  // Whose place it is can take it back until all is over, and is then told no more than others who may not vote.
  const isOver = known?.decided.some(({ event }) => Date.parse(event.time) <= note.toldAt);
  const may = isAbout(note, 'reassignment') && !isOver ? mayHandOn : mayVote;
  if (refusal === 'NOT_ELIGIBLE' && during.every((one) => may(one, person, people)))
    found.violated(action, `${note.by} may do this (${note.asked.kind}), and was refused`);
  const { digest } = { digest: undefined, ...note.asked };
  if (refusal === 'STALE_PAYLOAD' && during.every((one) => isSeen(one, digest)))
    found.violated(action, `${note.by} named the payload of now (${note.asked.kind}), and was refused`);
  if (refusal === 'BEING_JUDGED' && during.every(({ isJudged }) => isJudged))
    found.violated(action, `${note.by} was told (${note.asked.kind}) that the policy judges a change`);
}

/** What was changed has to be named as it is; what was not, need not be named. */
function isSeen(standing: Standing, digest: string | undefined): boolean {
  return digest === undefined ? standing.revision === 1 : digestNow(standing) === digest;
}
