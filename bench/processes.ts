import { readFileSync } from 'node:fs';

/** The kernel counts a process's time in hundredths of a second, whatever its own clock is. */
const tickMs = 10;

export type Pids = Record<string, number>;
export type Usage = { cpuMs: number; residentMb: number; peakMb: number };

/** What each process has used since it started, the memory that it holds now, and the most that it held. Linux alone tells this so. */
export function usageOf(pids: Pids): Record<string, Usage> {
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => [
      name,
      { cpuMs: cpuMs(pid), residentMb: megabytes(pid, 'VmRSS'), peakMb: megabytes(pid, 'VmHWM') },
    ]),
  );
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in brackets, may hold anything; user time is the 12th field after it, system time the next.
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * tickMs;
}

function megabytes(pid: number, of: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kilobytes = new RegExp(`^${of}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  return Number(kilobytes ?? Number.NaN) / 1024;
}

/** The broker that a program has started for itself. */
export function childNamed(parent: number, name: string): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'latin1').trim().split(' ');
  const found = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === name);
  if (found === undefined) throw new Error(`the process ${parent} has started no ${name}`);
  return Number(found);
}
