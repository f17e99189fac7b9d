import { availableParallelism } from 'node:os';
import type { Chain, Measured } from './limits/limits.ts';
import { type Cell, table } from './measure.ts';
import type { PlacetResult } from './placet/measure-placet.ts';
import type { Shape } from './placet/shapes.ts';

export type Limits = { publish: Map<number, Measured>; chain: Chain };
export type Measurement = { shape: Shape; syncAlways: boolean; result: PlacetResult; limits: Limits };
export type Run = { route: Map<number, Measured>; measurements: Measurement[] };

const shapeNames: Record<Shape, string> = { one: 'one process', five: 'five processes' };
const syncName = (syncAlways: boolean) => (syncAlways ? 'fsync on every write' : "the broker's default sync");
const callersOf = (n: number) => (n === 1 ? '1 caller' : `${n} callers`);

export function reportText(run: Run): string {
  const limits = new Map(run.measurements.map(({ syncAlways, limits }) => [syncAlways, limits]));
  return [
    `Milliseconds, unless said otherwise; ${availableParallelism()} cores, Node ${process.version}. "of chain" compares checks a second with those of the bare chain under the same sync, in this run.`,
    speedTable(run, limits),
    'CPU milliseconds a check, with 64 callers, until record and outcomes had caught up:',
    cpuTable(run, limits),
    'Resident memory after the load, MB:',
    memoryTable(run),
  ].join('\n\n');
}

function speedTable({ route, measurements }: Run, limits: Map<boolean, Limits>): string {
  const names = ['what', 'p50', 'p99', 'a second', 'of chain', 'record behind', 'outcomes behind'];
  const rows: Cell[][] = [];
  const add = (what: string, { p50, p99, perSecond }: Measured, more: Cell[] = []) =>
    rows.push([what, p50, p99, perSecond.toFixed(0), ...more, ...Array(3 - more.length).fill(undefined)]);
  for (const [n, sample] of route) add(`a bare fastify route, ${callersOf(n)}`, sample);
  for (const [syncAlways, { publish, chain }] of limits) {
    const sync = syncName(syncAlways);
    for (const [n, sample] of publish) add(`a bare publish, ${n} in flight; ${sync}`, sample);
    for (const [n, sample] of chain.times) add(`the bare chain, ${callersOf(n)}; ${sync}`, sample);
    for (const { shape, result } of measurements.filter((m) => m.syncAlways === syncAlways)) {
      const where = `${shapeNames[shape]}; ${sync}`;
      const most = Math.max(...result.checks.keys());
      for (const [n, sample] of result.checks) {
        const share = `${(shareOfChain(result, chain, n) * 100).toFixed(0)} %`;
        const behind = n === most ? [result.recordMs.toFixed(0), result.outcomesMs.toFixed(0)] : [];
        add(`check, ${callersOf(n)}; ${where}`, sample, [share, ...behind]);
      }
      rows.push([`records a second; ${where}`, '', '', result.recordsPerSecond.toFixed(0), '', '', '']);
      add(`vote to answer; ${where}`, result.votes);
      rows.push([`cold start; ${where}`, result.startMs.toFixed(0), '', '', '', '', '']);
    }
  }
  return table(names, rows);
}

export function shareOfChain(result: PlacetResult, chain: Chain, callers: number): number {
  const [ours, bare] = [result.checks.get(callers), chain.times.get(callers)];
  return (ours?.perSecond ?? Number.NaN) / (bare?.perSecond ?? Number.NaN);
}

export const processNames = ['nats-server', 'gateway', 'policy', 'decisions', 'notifier', 'audit', 'placet'];
const columns = [...processNames, 'load'];

function cpuTable({ measurements }: Run, limits: Map<boolean, Limits>): string {
  const rows = measurements.map(({ shape, syncAlways, result }) =>
    cpuRow(`${shapeNames[shape]}; ${syncName(syncAlways)}`, result.cpuPerCheck),
  );
  for (const [syncAlways, { chain }] of limits) {
    const { front, judge, ...rest } = chain.cpuPerCheck;
    const named = { ...rest, gateway: front ?? 0, policy: judge ?? 0 };
    rows.push(cpuRow(`the bare chain (front, judge); ${syncName(syncAlways)}`, named));
  }
  return table(['', ...columns, 'all'], rows);
}

function cpuRow(name: string, cpu: Record<string, number>): Cell[] {
  const all = Object.values(cpu).reduce((sum, ms) => sum + ms, 0);
  return [name, ...columns.map((column) => cpu[column]?.toFixed(3)), all.toFixed(3)];
}

function memoryTable({ measurements }: Run): string {
  const rows = measurements.map(({ shape, syncAlways, result }) => [
    `${shapeNames[shape]}; ${syncName(syncAlways)}`,
    ...processNames.map((name) => result.residentMb[name]?.toFixed(0)),
  ]);
  return table(['', ...processNames], rows);
}
