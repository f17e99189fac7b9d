export type Sample = { p50: number; p90: number; p99: number; max: number; count: number };

export function summarise(milliseconds: number[]): Sample {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return {
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: sorted.at(-1) ?? Number.NaN,
    count: sorted.length,
  };
}

/** Runs `one` from so many callers at a time, and answers how long each took and how many there were a second. */
export async function load(
  callers: number,
  total: number,
  one: (n: number) => Promise<void>,
): Promise<Sample & { perSecond: number }> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  const caller = async () => {
    for (let n = next++; n < total; n = next++) {
      const begun = performance.now();
      await one(n);
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return { ...summarise(times), perSecond: (total * 1000) / (performance.now() - started) };
}

export function table(rows: Record<string, string | number>[]): string {
  const [first] = rows;
  if (!first) return '';
  const names = Object.keys(first);
  const cell = (value: string | number | undefined) =>
    typeof value === 'number' ? value.toFixed(value < 100 ? 2 : 0) : (value ?? '');
  const lines = rows.map((row) => names.map((name) => cell(row[name])));
  const widths = names.map((name, i) => Math.max(name.length, ...lines.map((line) => line[i]?.length ?? 0)));
  const draw = (cells: string[]) => `| ${cells.map((text, i) => text.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [draw(names), rule, ...lines.map(draw)].join('\n');
}
