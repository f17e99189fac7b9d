export type Sample = { p50: number; p99: number; max: number; count: number };

export function summarise(milliseconds: number[]): Sample {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN, count: sorted.length };
}

/** Runs `one` from so many callers at a time, and answers how long each took and how many there were a second. */
export async function load(
  callers: number,
  total: number,
  one: (n: number, caller: number) => Promise<void>,
): Promise<Sample & { perSecond: number }> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  const caller = async (_: unknown, index: number) => {
    for (let n = next++; n < total; n = next++) {
      const begun = performance.now();
      await one(n, index);
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { ...summarise(times), perSecond: (total * 1000) / (performance.now() - started) };
}

export type Cell = string | number | undefined;

/** As Markdown, so that it can be put into a document as it stands. */
export function table(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = rows.map((row) => row.map(cellText));
  const widths = names.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const draw = (cells: readonly string[]) =>
    `| ${cells.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [draw(names), rule, ...lines.map(draw)].join('\n');
}

function cellText(value: Cell): string {
  if (typeof value !== 'number') return value ?? '';
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}
