import { isLost, type Note, statusOf, successOf } from './notes.ts';
import type { Phase } from './phase.ts';
import type { Finding } from './rules/index.ts';

const accepts = ({ asked, ...note }: Note) =>
  asked.kind === 'check' && successOf({ asked, ...note }) !== null;
const afterKillMs = 5000;

/** Rows of equal width, the first column to the left. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function counted<T>(items: readonly T[], nameOf: (item: T) => string): [string, number][] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].toSorted(([one], [other]) => (one < other ? -1 : 1));
}

export function faultCounts({ injected }: Pick<Phase, 'injected'>): [string, number][] {
  return counted(injected, ({ family, target, kind }) => {
    const who = family === 'service' ? target.replace(/-\d+$/, '') : family === 'broker' ? 'broker' : target;
    return `${who}: ${kind}`;
  });
}

/** What the askers were told, by question and answer. */
export function answerCounts(notes: readonly Note[]): [string, number][] {
  return counted(notes, ({ asked, told }) => {
    if (isLost(told)) return `${asked.kind}: no answer (${told.lost})`;
    return `${asked.kind}: ${told.status} ${told.body.error ?? told.body.decision ?? ''}`.trimEnd();
  });
}

/** The longest time in which no check was accepted, of those that end within seconds after a broker was killed. */
export function longestGapMs({ evidence, injected }: Pick<Phase, 'evidence' | 'injected'>): number | null {
  const kills = injected.filter(({ family, kind }) => family === 'broker' && kind === 'kill -9');
  const times = evidence.notes
    .filter(accepts)
    .map(({ toldAt }) => toldAt)
    .toSorted((one, other) => one - other);
  const gaps = times.slice(1).map((time, i) => ({ from: times[i] as number, to: time }));
  const touched = gaps.filter(({ from, to }) =>
    kills.some(({ beganAt, endedAt }) => to >= beganAt && from <= Math.max(endedAt, beganAt + afterKillMs)),
  );
  return touched.length === 0 ? null : Math.max(...touched.map(({ from, to }) => to - from));
}

export function phaseText(phase: Phase): string {
  const { name, injected, planned, evidence, failedStarts } = phase;
  const { notes, stream } = evidence;
  const gap = longestGapMs(phase);
  const checks = notes.filter(({ asked }) => asked.kind === 'check');
  const lines = (title: string, counts: [string, number][]) =>
    `${title}\n${counts.map(([what, count]) => `  ${String(count).padStart(6)}  ${what}`).join('\n')}`;
  return `${name}: ${injected.length} of ${planned.length} faults; ${checks.length} checks asked, ${checks.filter((note) => statusOf(note) === 200).length} answered; ${stream.length} events
${lines('Faults', faultCounts(phase))}
${lines('What the askers were told', answerCounts(notes))}
Starts that failed and were tried again: ${failedStarts}. The stream was full ${evidence.fills.filled} times.
${gap === null ? 'No broker was killed.' : `Around a broker's kill -9 the longest time without an accepted check was ${gap} ms.`}
`;
}

export function rulesText(findings: readonly Finding[]): string {
  const rows = findings.map(({ rule, checked, violations }) => [
    rule,
    Object.entries(checked)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
    String(violations.length),
  ]);
  return tableText([['rule', 'checked', 'violations'], ...rows]);
}
