import { errorTable } from '@placet/runtime';
import { type Asked, isLost } from '../notes.ts';
import type { Case } from './case.ts';
import { examination, type Finding } from './finding.ts';

/**
 * With which codes a question of ours may be refused. What decides is never refused for want of room; what is large and
 * decides nothing is.
 */
const expected: Record<Asked['kind'], readonly string[]> = {
  check: ['UNAVAILABLE', 'STORE_FULL', 'ALREADY_USED', 'DECISION_EXPIRED'],
  answer: ['UNAVAILABLE'],
  withdrawal: ['UNAVAILABLE', 'ALREADY_DECIDED'],
  execution: ['UNAVAILABLE', 'ALREADY_USED'],
  vote: ['UNAVAILABLE', 'ALREADY_DECIDED', 'NOT_ELIGIBLE', 'STALE_PAYLOAD', 'BEING_JUDGED'],
  edit: [
    'UNAVAILABLE',
    'STORE_FULL',
    'ALREADY_DECIDED',
    'NOT_ELIGIBLE',
    'STALE_PAYLOAD',
    'BEING_JUDGED',
    'EDITS_NOT_ACCEPTED',
    'NOT_EDITABLE',
  ],
  reassignment: ['UNAVAILABLE', 'ALREADY_DECIDED', 'NOT_ELIGIBLE', 'BEING_JUDGED'],
  comment: ['UNAVAILABLE', 'STORE_FULL'],
  approval: ['UNAVAILABLE'],
  approvals: ['UNAVAILABLE'],
  log: ['UNAVAILABLE', 'STORE_FULL'],
};

export function everythingHasALimit({ notes, processes, fills, about }: Case): Finding {
  const found = examination('10 limits, and who runs keeps running', [
    'refusals',
    'refusals for want of room',
    'times the stream was full',
  ]);
  for (const note of notes) {
    if (isLost(note.told) || note.told.status < 300) continue;
    const { status, body } = note.told;
    const code = body.error ?? '';
    found.count('refusals');
    if (code === 'STORE_FULL') found.count('refusals for want of room');
    const known = Object.hasOwn(errorTable, code) ? errorTable[code as keyof typeof errorTable] : null;
    if (known?.status !== status || !expected[note.asked.kind].includes(code)) {
      found.violated(
        about(note),
        `${note.by} was refused (${note.asked.kind}) with ${status} ${JSON.stringify(body)}`,
      );
    }
  }
  found.count('times the stream was full', fills.filled);
  if (fills.filled !== fills.roomAgain) {
    found.violated(
      null,
      `the stream was full ${fills.filled} times, and had room again ${fills.roomAgain} times`,
    );
  }
  for (const ended of processes.endedByThemselves) found.violated(null, `${ended} by itself`);
  return found;
}
