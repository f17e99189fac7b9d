import type { Evidence } from './evidence.ts';
import { isLost, type Note } from './notes.ts';
import type { Phase } from './phase.ts';
import { openCase } from './rules/case.ts';
import type { Finding } from './rules/index.ts';

/** Of each rule, so that one that is broken a hundred times does not hide the others. */
const detailsMax = 6;

/** Violations with all that is known of their actions: the stream's events and everybody's notes, by time. */
export function detailsText(findings: readonly Finding[], phases: readonly Phase[]): string {
  return findings
    .flatMap(({ rule, violations }) => {
      const shown = violations.slice(0, detailsMax).map(({ action, what }) => {
        const history = action === null ? [] : phases.flatMap(({ evidence }) => historyOf(evidence, action));
        return [`rule ${rule}${action === null ? '' : `, ${action}`}: ${what}`, ...history].join('\n    ');
      });
      const more = violations.length - detailsMax;
      return more > 0 ? [...shown, `rule ${rule}: and ${more} more`] : shown;
    })
    .join('\n');
}

function historyOf(evidence: Evidence, action: string): string[] {
  const { about, notes, stream } = openCase(evidence);
  const events = stream.flatMap(({ seq, event }) =>
    event && 'action_id' in event.data && event.data.action_id === action
      ? [{ at: Date.parse(event.time), text: `event ${seq} ${event.type} ${JSON.stringify(event.data)}` }]
      : [],
  );
  const told = notes
    .filter((note) => about(note) === action)
    .map((note) => ({ at: note.sentAt, text: noteText(note) }));
  return [...events, ...told]
    .toSorted((one, other) => one.at - other.at)
    .map(({ at, text }) => `${new Date(at).toISOString()} ${text}`);
}

function noteText({ by, gateway, asked, told, sentAt, toldAt }: Note): string {
  const answer = isLost(told) ? `no answer (${told.lost})` : `${told.status} ${JSON.stringify(told.body)}`;
  return `${by} asked ${gateway}: ${JSON.stringify(asked)}; after ${toldAt - sentAt} ms: ${answer}`;
}
