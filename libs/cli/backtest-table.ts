import type { Counts } from '@placet/policy';
import type { FullResult, Progress } from './backtest-lines.ts';
import { printable } from './printable.ts';

const barLength = 30;
const decides = ['allow', 'require_approval', 'deny'] as const satisfies readonly (keyof Counts)[];

const grouped = (count: number): string => count.toLocaleString('en-US');

/** One line, always of the same length, to be drawn over the one before. */
export const formatProgress = ({ requests, share }: Progress): string => {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * barLength);
  const bar = '#'.repeat(filled).padEnd(barLength, '.');
  return `[${bar}] ${`${Math.round(share * 100)} %`.padStart(5)}  ${grouped(requests)} requests `;
};

export const formatBacktest = (result: FullResult): string =>
  `${[overview(result), totals(result), interruptions(result), ...result.changes.map(change), unmet(result)]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;

const overview = ({ scope, requests, concerned, from, until, unreadable }: FullResult): string => {
  const since = from === null ? '' : `, from ${printable(from)} until ${printable(until)}`;
  const left = unreadable === 0 ? '' : `\n${grouped(unreadable)} were left out: Placet did not write them.`;
  const part = concerned === requests ? '' : `\nIt has a part in ${grouped(concerned)} of them.`;
  return `${grouped(requests)} requests with another policy for ${printable(scope)}${since}${part}${left}`;
};

const totals = ({ before, after }: FullResult): string => {
  const rows = decides.map((decide) => {
    const difference = after[decide] - before[decide];
    const sign = difference > 0 ? '+' : '';
    return [decide, grouped(before[decide]), grouped(after[decide]), `${sign}${grouped(difference)}`];
  });
  const all = [['', 'now', 'then', 'change'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
        .join('  '),
    )
    .join('\n');
};

const interruptions = ({ interruptions: count, before, changed }: FullResult): string => {
  if (changed === 0) return 'No verdict would change.';
  if (count === 0) return 'People would be asked as often as now.';
  const whole = before.require_approval;
  const share = whole === 0 ? '' : ` (${Math.round((Math.abs(count) / whole) * 100)} % of ${grouped(whole)})`;
  return `People would be asked ${grouped(Math.abs(count))} times ${count < 0 ? 'less' : 'more'}${share}.`;
};

const change = ({ from, to, count, actions, examples }: FullResult['changes'][number]): string => {
  const often = actions.slice(0, 5).map(({ action, count }) => `${printable(action)} ${grouped(count)}`);
  const more = actions.length > 5 ? ', …' : '';
  const lines = examples.map(
    ({ id, action, agent, at, before, after }) =>
      `  ${printable(`${id}  ${action} of ${agent}, ${at}`)}\n` +
      `    now   ${printable(before.reason)}\n    then  ${printable(after.reason)}`,
  );
  return [`${from} -> ${to}: ${grouped(count)} (${often.join(', ')}${more}); as`, ...lines].join('\n');
};

/** They may be too narrow, or be for what never happened. */
const unmet = ({ idle }: FullResult): string => {
  if (idle.length === 0) return '';
  const names = idle
    .slice(0, 20)
    .map(
      ({ rule, line, set }) =>
        `  ${set === null ? '' : `set ${printable(set)}, `}line ${line}: ${printable(rule)}`,
    );
  const more = idle.length > 20 ? [`  and ${idle.length - 20} more`] : [];
  return ['Rules that would have decided nothing:', ...names, ...more].join('\n');
};
