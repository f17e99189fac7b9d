import type { Evidence } from '../evidence.ts';
import { openCase } from './case.ts';
import { oneDecision, streamIsTruth } from './decisions.ts';
import { whatWasApprovedRuns } from './digests.ts';
import { changesAreJudged } from './edits.ts';
import type { Finding } from './finding.ts';
import { placesAreHandedOn } from './hands.ts';
import { everythingHasALimit } from './limits.ts';
import { failClosed, onceAndForNow } from './permissions.ts';
import { deliveredTwice, everythingIsRecorded, nothingVanishes } from './record.ts';
import { stepsAreTakenOnce } from './steps.ts';
import { votesAreCounted } from './votes.ts';

export type { Finding, Violation } from './finding.ts';

/** Holds what everybody was told against the stream, the stores and the record. Pure. */
export function checkRules(evidence: Evidence, { sweepAfterMs }: { sweepAfterMs: number }): Finding[] {
  const found = openCase(evidence);
  return [
    failClosed(found),
    oneDecision(found),
    streamIsTruth(found),
    whatWasApprovedRuns(found),
    onceAndForNow(found),
    votesAreCounted(found),
    deliveredTwice(found),
    nothingVanishes(found, sweepAfterMs),
    everythingIsRecorded(found),
    everythingHasALimit(found),
    changesAreJudged(found),
    placesAreHandedOn(found),
    stepsAreTakenOnce(found),
  ];
}

/** The findings of several phases as one. */
export function together(all: Finding[][]): Finding[] {
  const [first = [], ...more] = all;
  return first.map(({ rule, checked, violations }, i) => {
    const sum = { ...checked };
    const found = [...violations];
    for (const findings of more) {
      for (const [what, count] of Object.entries(findings[i]?.checked ?? {}))
        sum[what] = (sum[what] ?? 0) + count;
      found.push(...(findings[i]?.violations ?? []));
    }
    return { rule, checked: sum, violations: found };
  });
}
