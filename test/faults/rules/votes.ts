import { isLost, type Note } from '../notes.ts';
import { verdictOn } from '../world.ts';
import type { Case, Facts } from './case.ts';
import { examination, type Finding } from './finding.ts';

/** Whether whoever asked could have cast a vote: told so, or told nothing that denies it. */
function mayBeCast({ told }: Note): boolean {
  return isLost(told) || told.status < 300 || told.status >= 500;
}

export function votesAreCounted({ notes, facts, people }: Case): Finding {
  const found = examination('6 who voted is counted', [
    'votes in the stream',
    'votes confirmed',
    'votes refused',
  ]);
  const cast = new Set<string>();
  for (const note of notes) {
    if (note.asked.kind !== 'vote') continue;
    const { action, vote } = note.asked;
    const known = facts.get(action);
    if (mayBeCast(note)) cast.add(`${action}/${note.by}/${vote}`);
    if (isLost(note.told)) continue;
    const { status, body } = note.told;
    const isThere = known?.voted.some(
      ({ event }) => event.data.voter.email === note.by && event.data.vote === vote,
    );
    if (status < 300) {
      found.count('votes confirmed');
      if (!isThere) found.violated(action, `${note.by}'s vote was confirmed, and is not in the stream`);
    } else if (status < 500) {
      found.count('votes refused');
      const isEligible = rolesAsked(known).some((role) => rolesOf(note.by).includes(role));
      if (body.error === 'NOT_ELIGIBLE' && isEligible)
        found.violated(action, `${note.by} may vote, and was refused`);
      if (status === 404) found.violated(action, `${note.by} was told that there is no approval`);
    }
  }
  for (const known of facts.values()) {
    const end = known.decided[0]?.seq ?? Number.POSITIVE_INFINITY;
    for (const [i, { seq, event }] of known.voted.entries()) {
      const { voter, vote, number } = event.data;
      found.count('votes in the stream');
      if (!cast.has(`${known.action}/${voter.email}/${vote}`)) {
        found.violated(known.action, `the stream holds a vote of ${voter.email} that nobody cast`);
      }
      if (!rolesAsked(known).some((role) => rolesOf(voter.email).includes(role))) {
        found.violated(known.action, `${voter.email} voted without being asked`);
      }
      if (number !== i + 1) found.violated(known.action, `its vote ${i + 1} has the number ${number}`);
      if (seq > end) found.violated(known.action, `a vote of ${voter.email} came after the decision`);
    }
  }
  return found;

  function rolesOf(email: string): readonly string[] {
    return people.find((person) => person.email === email)?.roles ?? [];
  }
}

function rolesAsked(known: Facts | undefined): readonly string[] {
  const name = known?.requested[0]?.event.data.action_name;
  if (name === undefined) return [];
  const verdict = verdictOn(name);
  return verdict.by === 'people' ? verdict.roles : [];
}
